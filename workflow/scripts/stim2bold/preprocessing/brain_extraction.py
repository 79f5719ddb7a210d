"""The Brain Extraction Tool's surface (Smith 2002, Hum Brain Mapp 17:143), all vertices at once.

A sphere of triangles swells until every vertex lies where the brightness along its normal falls
from that of brain to that of the dark fluid and bone around it, while three forces keep it even,
smooth and in place. Symbols are those of the paper.
"""

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

POINTS_AT_A_TIME = 200_000


@dataclass(frozen=True)
class SurfaceSettings:
    """Constants of the surface.

    Attributes
    ----------
    threshold : float
        Fractional intensity between dark and bright that counts as the brain's edge.
    inward_dark, inward_bright : float
        How far inward the least and the greatest brightness are looked for, mm.
    smallest_radius, largest_radius : float
        Radii of curvature, mm: what is more curved is smoothed fully, what is less hardly.
    steps : int
        Iterations.
    """

    threshold: float = 0.5
    inward_dark: float = 20.0
    inward_bright: float = 10.0
    smallest_radius: float = 3.33
    largest_radius: float = 10.0
    steps: int = 1000


def icosphere(subdivisions: int) -> tuple[np.ndarray, np.ndarray]:
    """Return a unit sphere of triangles.

    Parameters
    ----------
    subdivisions : int
        How often each triangle of an icosahedron is split in four.

    Returns
    -------
    vertices : ndarray of shape (n, 3)
        On the unit sphere.
    faces : ndarray of shape (m, 3), int
        Indices of each triangle's corners, outward side first.
    """
    golden = (1 + 5**0.5) / 2
    vertices = [(0, s, t * golden) for s in (1, -1) for t in (1, -1)]
    vertices += [(s, t * golden, 0) for s in (1, -1) for t in (1, -1)]
    vertices += [(t * golden, 0, s) for s in (1, -1) for t in (1, -1)]
    points = np.array(vertices, dtype=float)
    distance = np.linalg.norm(points[:, None] - points[None], axis=-1)
    near = np.isclose(distance, 2)
    faces = [
        (a, b, c)
        for a in range(12)
        for b in range(a + 1, 12)
        for c in range(b + 1, 12)
        if near[a, b] and near[b, c] and near[a, c]
    ]
    triangles = np.array(faces)
    for _ in range(subdivisions):
        edges = np.sort(
            np.concatenate([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [2, 0]]]),
            axis=1,
        )
        unique, which = np.unique(edges, axis=0, return_inverse=True)
        middle = len(points) + which.reshape(3, -1)
        points = np.concatenate([points, points[unique].mean(axis=1)])
        a, b, c = triangles.T
        ab, bc, ca = middle
        quarters = ((a, ab, ca), (b, bc, ab), (c, ca, bc), (ab, bc, ca))
        triangles = np.concatenate([np.stack(corners, axis=1) for corners in quarters])
    points /= np.linalg.norm(points, axis=1, keepdims=True)
    first, second, third = np.moveaxis(points[triangles], 1, 0)
    inward = (np.cross(second - first, third - first) * first).sum(axis=1) < 0
    triangles[inward] = triangles[inward][:, ::-1]
    return points, triangles


def vertex_neighbours(faces: np.ndarray, n_vertices: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the neighbours of each vertex, padded with the vertex itself, and their number."""
    sides = ([0, 1], [1, 0], [1, 2], [2, 1], [2, 0], [0, 2])
    pairs = np.unique(np.concatenate([faces[:, side] for side in sides]), axis=0)
    count = np.bincount(pairs[:, 0], minlength=n_vertices)
    table = np.repeat(np.arange(n_vertices)[:, None], count.max(), axis=1)
    column = np.arange(len(pairs)) - np.repeat(np.cumsum(count) - count, count)
    table[pairs[:, 0], column] = pairs[:, 1]
    return table, count


def vertex_normals(vertices: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """Return the outward unit normal of each vertex, faces weighted by their area."""
    corners = vertices[faces]
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    total = np.stack(
        [
            np.bincount(faces.ravel(), np.repeat(normals[:, axis], 3), minlength=len(vertices))
            for axis in range(3)
        ],
        axis=1,
    )
    return total / np.maximum(np.linalg.norm(total, axis=1, keepdims=True), 1e-12)


def brain_surface(
    data: np.ndarray, voxel: float, settings: SurfaceSettings
) -> tuple[np.ndarray, np.ndarray]:
    """Fit the surface of the brain.

    Parameters
    ----------
    data : ndarray of shape (i, j, k), float32
        Whole head in cubic voxels.
    voxel : float
        Their size, mm.
    settings : SurfaceSettings
        Constants.

    Returns
    -------
    vertices : ndarray of shape (n, 3)
        In voxels.
    faces : ndarray of shape (m, 3), int
        Triangles.
    """
    dark, bright = np.percentile(data, [2, 98])
    edge = dark + 0.1 * (bright - dark)
    head = data > edge
    weights = np.clip(data, dark, bright) * head
    centre = np.array(ndimage.center_of_mass(weights))
    radius = (3 * head.sum() / (4 * np.pi)) ** (1 / 3)
    indices = np.argwhere(head)
    within = ((indices - centre) ** 2).sum(axis=1) < radius**2
    typical = float(np.median(data[tuple(indices[within].T)]))

    sphere, faces = icosphere(4)
    vertices = centre + sphere * radius / 2
    table, count = vertex_neighbours(faces, len(vertices))
    padding = table.shape[1] - count
    r_min, r_max = settings.smallest_radius / voxel, settings.largest_radius / voxel
    E = (1 / r_min + 1 / r_max) / 2
    F = 6 / (1 / r_min - 1 / r_max)
    # Every half voxel would find nothing that every voxel does not.
    far = np.arange(0, settings.inward_dark / voxel + 1)
    near = far <= settings.inward_bright / voxel + 0.5
    limits = np.array(data.shape) - 1
    flat = np.ascontiguousarray(data, dtype=np.float32).ravel()
    strides = np.array([data.shape[1] * data.shape[2], data.shape[2], 1])

    for _ in range(settings.steps):
        normals = vertex_normals(vertices, faces)
        neighbours = vertices[table]
        # The padding is the vertex itself: taken out of the sums again.
        mean = (neighbours.sum(axis=1) - padding[:, None] * vertices) / count[:, None]
        length = np.linalg.norm(neighbours - vertices[:, None], axis=2).sum(axis=1) / count
        side = length.mean()
        s = mean - vertices
        along = np.einsum("vi,vi->v", s, normals)
        s_n = along[:, None] * normals
        s_t = s - s_n
        curvature = 2 * np.abs(along) / side**2
        f2 = (1 + np.tanh(F * (curvature - E))) / 2
        ray = vertices[:, None] - far[None, :, None] * normals[:, None]
        ray = np.clip(np.rint(ray), 0, limits).astype(np.intp)
        seen = flat[ray @ strides]
        low = np.maximum(dark, np.minimum(typical, seen.min(axis=1)))
        high = np.minimum(typical, np.maximum(edge, seen[:, near].max(axis=1)))
        wanted = (high - dark) * settings.threshold + dark
        f3 = 0.1 * (low - wanted) / np.maximum(high - dark, 1e-6) * side
        vertices = vertices + 0.5 * s_t + f2[:, None] * s_n + f3[:, None] * normals
    return vertices, faces


def within_reach(vertices: np.ndarray, shape: tuple) -> bool:
    """Tell whether a surface stayed within half an image's size of the image."""
    size = np.array(shape)
    return bool(
        np.isfinite(vertices).all()
        and (vertices >= -size / 2).all()
        and (vertices <= 1.5 * size).all()
    )


def inside_surface(vertices: np.ndarray, faces: np.ndarray, shape: tuple) -> np.ndarray:
    """Return which voxels a closed surface encloses.

    Parameters
    ----------
    vertices : ndarray of shape (n, 3)
        In voxels.
    faces : ndarray of shape (m, 3), int
        Triangles.
    shape : (int, int, int)
        Of the volume.

    Returns
    -------
    ndarray of shape (i, j, k), bool
        Voxels enclosed or touched.
    """
    # Points on every triangle, close enough that no voxel between two of them is missed.
    corners = vertices[faces]
    side = np.linalg.norm(corners - np.roll(corners, 1, axis=1), axis=2).max()
    n_steps = int(np.ceil(side / 0.4)) + 1
    u, v = np.meshgrid(*[np.linspace(0, 1, n_steps)] * 2)
    keep = u + v <= 1 + 1e-9
    weights = np.stack([1 - u[keep] - v[keep], u[keep], v[keep]], axis=1)
    shell = np.zeros(shape, dtype=bool)
    limits = np.array(shape) - 1
    # As many triangles at a time as bound the memory, however large they are.
    n_chunks = -(-len(corners) * len(weights) // POINTS_AT_A_TIME)
    for chunk in np.array_split(corners, min(len(corners), max(1, n_chunks))):
        points = np.einsum("wc,fci->fwi", weights, chunk).reshape(-1, 3)
        shell[tuple(np.clip(np.rint(points), 0, limits).astype(np.intp).T)] = True
    return ndimage.binary_fill_holes(shell)
