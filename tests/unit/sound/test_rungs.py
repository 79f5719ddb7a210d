from stim2bold.sound.rungs import in_order


def test_the_ladder_goes_from_the_original_down_to_the_wrong_moments():
    found = {"vae", "shuffled", "original", "latent", "ridge", "griffinlim", "video"}
    assert in_order(found) == [
        "original",
        "griffinlim",
        "latent",
        "video",
        "ridge",
        "vae",
        "shuffled",
    ]
    assert in_order(["vae", "original"]) == ["original", "vae"]
