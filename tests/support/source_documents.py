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


RSS = """<?xml version="1.0" encoding="ISO-8859-1"?>
<rss version="2.0" xmlns:atom="http://www.w3.org/2005/Atom"><channel><title>News</title><link>{site}/</link>
<atom:link href="{site}/feed" rel="self"/>
<item><title>One &amp; all</title><link>{site}/1.html</link><pubDate>Mon, 02 Nov 2026 10:00:00 GMT</pubDate>
<enclosure url="{site}/1.mp3" length="1" type="audio/mpeg"/></item>
<item><link><![CDATA[{site}/2.html?a=1&b=2]]></link><guid>2</guid></item></channel></rss>
""".replace("{site}", "https://www.example.com").encode()
ATOM = b"""<feed xmlns="http://www.w3.org/2005/Atom"><link rel="self" href="https://www.example.com/feed"/>
<entry><link href="https://www.example.com/1.html"/><updated>2026-11-02T10:00:00Z</updated></entry>
<entry><link rel="enclosure" href="https://www.example.com/1.mp3"/>
<link rel="alternate" href="https://www.example.com/2.html"/></entry></feed>
"""
LOW_LATENCY = b"""#EXTM3U
#EXT-X-VERSION:10
#EXT-X-TARGETDURATION:4
#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,CAN-SKIP-UNTIL=24,PART-HOLD-BACK=3.0
#EXT-X-PART-INF:PART-TARGET=0.33
#EXT-X-DEFINE:NAME="path",VALUE="v/1"
#EXT-X-DEFINE:QUERYPARAM="token"
#EXT-X-DEFINE:IMPORT="cdn"
#EXT-X-MAP:URI="init.mp4",BYTERANGE="100@0"
#EXT-X-SKIP:SKIPPED-SEGMENTS=3
#EXT-X-DATERANGE:ID="ad",X-ASSET-URI="ad.m3u8"
#EXTINF:4,
{$path}/1.m4s?t={$token}
#EXT-X-GAP
#EXTINF:4,
2.m4s
#EXT-X-PART:DURATION=0.33,URI="3.1.mp4",INDEPENDENT=YES
#EXT-X-PART:DURATION=0.33,URI="3.2.mp4",BYTERANGE="10@0",GAP=YES
#EXT-X-PRELOAD-HINT:TYPE=PART,URI="3.3.mp4"
#EXT-X-RENDITION-REPORT:URI="../other.m3u8",LAST-MSN=3
"""
PRESENTATION = b"""<?xml version="1.0"?>
<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" xmlns:xlink="http://www.w3.org/1999/xlink" type="static"
 mediaPresentationDuration="PT1M"><BaseURL>https://www.example.com/a/</BaseURL><BaseURL>b/</BaseURL>
<Period id="1" duration="PT30S"><AdaptationSet><SegmentTemplate timescale="1000" initialization="$RepresentationID$/i"
 media="$RepresentationID$/$Number%05d$-$Time$" startNumber="1"><SegmentTimeline><S t="0" d="4000" r="2"/>
<S d="6000" r="-1"/></SegmentTimeline></SegmentTemplate><Representation id="v" bandwidth="1"/></AdaptationSet>
<AdaptationSet><Representation id="w" bandwidth="2"><BaseURL>w.mp4</BaseURL><SegmentBase indexRange="0-9">
<Initialization range="0-9"/></SegmentBase></Representation></AdaptationSet></Period>
<Period xlink:href="urn:mpeg:dash:resolve-to-zero:2013"/><Period><AdaptationSet><SegmentList duration="10">
<SegmentURL media="1" mediaRange="0-9"/><SegmentURL media="2" index="2.x"/></SegmentList><Representation id="x"/>
</AdaptationSet></Period></MPD>
"""
INDEX = b"""<sitemapindex><sitemap><loc>https://www.example.com/other</loc><lastmod>2026-11</lastmod></sitemap>
<sitemap><loc>https://www.example.com/none.xml</loc></sitemap></sitemapindex>"""
# Documents with every element, by the parser that reads them.
FUZZ_SEEDS = {
    "sitemap": [INDEX],
    "feed": [RSS, ATOM, RSS.replace(b"rss", b"rdf:RDF")],
    "hls": [LOW_LATENCY],
    "dash": [PRESENTATION],
    "list": [
        b'"url";"title"\r\n"https://www.example.com/a";"A ""b"""\r\n',
        b'{"url_list":["https://www.example.com/"]}',
    ],
}
