"""Choose among the renditions of an HLS multivariant playlist: the lowest one, with what it needs. Pure."""

import re
from collections.abc import Mapping

from resolve.sources.hls import Reference

# Codecs of video (RFC 6381 and the codecs' own registrations), by the begin of their names.
VIDEO_CODECS = ("avc", "hvc", "hev", "dvh", "dva", "dav", "vp0", "vp8", "vp9", "av01", "mp4v", "mp2v", "vvc", "vvi",
                "evc", "lvc", "mjp")  # fmt: skip


def lowest(variants: list[Reference]) -> list[Reference]:
    """Return the variant of the lowest bandwidth that has video, one for each pathway (PATHWAY-ID).

    If no variant has video, those with audio alone.
    """
    with_video = [each for each in variants if _has_video(each.attributes)] or variants
    chosen: dict[str, Reference] = {}
    for each in sorted(with_video, key=_bandwidth):
        chosen.setdefault(each.attributes.get("PATHWAY-ID", ""), each)
    return list(chosen.values())


def _bandwidth(variant: Reference) -> float:
    text = variant.attributes.get("BANDWIDTH", "")
    return int(text) if re.fullmatch(r"\d{1,18}", text, re.ASCII) else float("inf")


def _has_video(attributes: Mapping[str, str]) -> bool:
    """Return whether a variant has video, as far as it declares its contents."""
    codecs = [each.strip().lower() for each in attributes.get("CODECS", "").split(",") if each.strip()]
    return "RESOLUTION" in attributes or not codecs or any(each.startswith(VIDEO_CODECS) for each in codecs)


def groups_of(variants: list[Reference]) -> set[tuple[str, str]]:
    """Return type and id of the renditions' groups that variants use."""
    return {
        (kind, each.attributes[kind])
        for each in variants
        for kind in ("AUDIO", "VIDEO", "SUBTITLES")
        if kind in each.attributes
    }
