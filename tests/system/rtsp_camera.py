"""An IP camera on GStreamer's RTSP server, run by Debian's Python.

``rtsp_camera.py ADDRESS PATTERN [USER PASSWORD]``

It films a test picture, `PATTERN` of videotestsrc, and says its port.
"""

import sys
from importlib import import_module

import gi

for name in ("Gst", "GstRtspServer"):
    gi.require_version(name, "1.0")
GLib, Gst, GstRtspServer = (
    import_module(f"gi.repository.{name}") for name in ("GLib", "Gst", "GstRtspServer")
)

PIPELINE = (
    "( videotestsrc is-live=true pattern={pattern} ! video/x-raw,width=640,height=480,framerate=15/1"
    " ! x264enc tune=zerolatency threads=1 speed-preset=superfast bitrate=300 key-int-max=30"
    " ! video/x-h264,profile=constrained-baseline ! rtph264pay name=pay0 pt=96 config-interval=-1 )"
)

address, pattern, *login = sys.argv[1:]
Gst.init(None)
server = GstRtspServer.RTSPServer()
server.set_address(address)
server.set_service("0")
factory = GstRtspServer.RTSPMediaFactory()
factory.set_launch(PIPELINE.format(pattern=pattern))
factory.set_shared(True)
if login:
    user, password = login
    auth, token = GstRtspServer.RTSPAuth(), GstRtspServer.RTSPToken()
    token.set_string("media.factory.role", "viewer")
    auth.add_basic(GstRtspServer.RTSPAuth.make_basic(user, password), token)
    server.set_auth(auth)
    role = Gst.Structure.new_empty("viewer")
    for right in ("media.factory.access", "media.factory.construct"):
        role.set_value(right, True)
    factory.add_role_from_structure(role)
server.get_mount_points().add_factory("/bed", factory)
server.attach(None)
print(server.get_bound_port(), flush=True)
GLib.MainLoop().run()
