"""Regions of interest: spheres round landmarks that films are known to reach."""

#: Landmarks in MNI space (mm; x on either side) that films are known to reach. They stand for the
#: places that textbooks name so; they are not anybody's functional localiser.
LANDMARKS = {
    "early visual cortex": (9, -92, 2),
    "motion area (hMT+)": (46, -68, 2),
    "lateral occipital cortex": (42, -78, -8),
    "fusiform gyrus": (40, -52, -18),
    "auditory cortex (Heschl's gyrus)": (50, -20, 6),
    "superior temporal sulcus": (56, -36, 4),
    "inferior frontal gyrus": (48, 22, 14),
    "precuneus": (7, -60, 38),
}
RADIUS = 10.0
#: Fewer voxels than this are no region.
FEWEST = 3
