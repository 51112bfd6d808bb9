# Mounts a file system on the folder or file that is named and answers nothing that is asked of it, until
# it is killed. Says "mounted" when it is; ends with 1 where it may not.
import ctypes
import os
import stat
import sys

fuse = os.open("/dev/fuse", os.O_RDWR)
kind = stat.S_IFMT(os.stat(sys.argv[1]).st_mode)
options = f"fd={fuse},rootmode={kind:o},user_id=0,group_id=0".encode()
libc = ctypes.CDLL(None, use_errno=True)
if libc.mount(b"silent", sys.argv[1].encode(), b"fuse", 0, options) != 0:
    sys.exit(1)
print("mounted", flush=True)
while os.read(fuse, 1 << 20):
    pass
