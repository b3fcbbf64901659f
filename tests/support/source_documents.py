"""Sitemaps and HLS playlists for tests of sources."""

SITEMAP_NAMESPACE = 'xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"'
MASTER = b"""#EXTM3U
#EXT-X-SESSION-KEY:METHOD=AES-128,URI="session.key"
#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="lo",NAME="en",URI="audio/lo.m3u8"
#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="hi",NAME="en",URI="audio/hi.m3u8"
#EXT-X-MEDIA:TYPE=CLOSED-CAPTIONS,GROUP-ID="cc",NAME="en",INSTREAM-ID="CC1"
#EXT-X-STREAM-INF:BANDWIDTH=5000000,AUDIO="hi"
video/hi.m3u8
#EXT-X-STREAM-INF:BANDWIDTH=800000,AUDIO="lo"
/video/lo.m3u8
#EXT-X-I-FRAME-STREAM-INF:BANDWIDTH=100000,URI="frames.m3u8"
"""
MEDIA = b"""#EXTM3U
#EXT-X-VERSION:7
#EXT-X-TARGETDURATION:4
#EXT-X-MAP:URI="init.mp4"
#EXT-X-KEY:METHOD=AES-128,URI="https://keys.example.com/1?token=x"
#EXTINF:4,
1.m4s
#EXT-X-KEY:METHOD=SAMPLE-AES,URI="skd://fairplay"
#EXTINF:4,
#EXT-X-BYTERANGE:100@0
2.m4s
#EXTINF:4,
#EXT-X-BYTERANGE:100@100
2.m4s
#EXT-X-ENDLIST
"""


def sitemap(*entries: tuple[str, str], root: str = "urlset", item: str = "url") -> bytes:
    """Return a sitemap of (address, lastmod) entries; an empty lastmod is left out."""
    lines = "".join(
        f"<{item}><loc> {address} </loc>{f'<lastmod>{day}</lastmod>' if day else ''}</{item}>"
        for address, day in entries
    )
    return f'<?xml version="1.0"?><{root} {SITEMAP_NAMESPACE}>{lines}</{root}>'.encode()
