"""What an agent may try, as programs for the inside. Each calls `escaped` when it got what it wanted."""

PRELUDE = """
import ctypes, errno, os, signal, socket, stat, struct, subprocess, sys, time
libc = ctypes.CDLL(None, use_errno=True)
NONCE, CANARY, SECRET = {nonce!r}, {canary!r}, {secret!r}
print(NONCE, "began", flush=True)
def escaped(how):
    print(NONCE, "ESCAPED", how, flush=True)
def tries(act, *rest, **named):
    try:
        got = act(*rest, **named)
    except (OSError, ValueError, OverflowError) as error:
        print("held:", error, flush=True)
        return None
    escaped(f"{{getattr(act, '__name__', act)}}{{rest}} -> {{got!r}}")
def call(number, *rest):
    ctypes.set_errno(0)
    got = libc.syscall(ctypes.c_long(number), *[ctypes.c_long(each) if isinstance(each, int) else each for each in rest])
    if got != -1:
        escaped(f"system call {{number}} -> {{got}}")
    elif ctypes.get_errno() not in (errno.EPERM, errno.ENOSYS):
        escaped(f"system call {{number}} got as far as {{os.strerror(ctypes.get_errno())}}")
    else:
        print("held:", number, os.strerror(ctypes.get_errno()), flush=True)
def peek(path):
    try:
        read(path) == NONCE.encode() and escaped("read " + path)
    except OSError as error:
        print("held:", error)
def poke(path):
    # the room around the workspace is the box's own and may be written; the host looks at its canary afterwards
    try:
        write(path)
    except OSError as error:
        print("held:", error)
def write(path, text="pwned"):
    with open(path, "w") as target:
        target.write(text)
def read(path):
    with open(path, "rb") as source:
        return source.read(64)
"""
END = '\nprint(NONCE, "finished", flush=True)\n'

FILES = {
    "a link out of the workspace": "os.symlink(CANARY, 'l'); poke('l'); peek('l')",
    "a link through proc": "os.symlink('/proc/self/root' + CANARY, 'm'); peek('m'); poke('/proc/1/root' + CANARY)",
    "the old root of bwrap": "peek('/oldroot' + CANARY); peek('/newroot/..' + CANARY); tries(os.listdir, '/oldroot')",
    "a hard link to a program": "tries(os.link, '/usr/bin/env', 'env')",
    "climbing with dots": "peek('../canary.txt'); peek('/../../' + CANARY)",
    "walking out by descriptor": "d = os.open('/', os.O_RDONLY); tries(os.open, '../..' + CANARY, os.O_RDONLY, dir_fd=d)",
    "the home and secrets of the host": "[tries(os.listdir, p) for p in ('/root', '/var/lib', '/boot', '/srv', '/media', '/mnt')]; tries(read, '/etc/shadow')",
    "other people's homes": "print(os.listdir('/home')); os.listdir('/home') == ['agent'] or escaped('homes')",
    "writing to the system": "[tries(write, p) for p in ('/usr/x', '/etc/x', '/etc/passwd', '/x', '/dev/x', '/bin/x', '/run/remit/x', '/proc/x')]",
    "replacing the helper": "tries(write, '/run/remit/bin/remit'); tries(os.unlink, '/run/remit/bin/remit'); tries(os.unlink, '/run/remit/bin/python3')",
    "kernel switches": "[tries(write, p, '0') for p in ('/proc/sys/kernel/core_pattern', '/proc/sys/vm/drop_caches', '/proc/sysrq-trigger', '/proc/sys/kernel/hostname')]",
    "the sysfs": "tries(os.listdir, '/sys'); tries(write, '/sys/power/state', 'mem')",
    "control groups": "tries(os.listdir, '/sys/fs/cgroup'); tries(write, '/proc/1/oom_score_adj', '-1000')",
    "device nodes": "tries(os.mknod, 'disk', 0o600 | stat.S_IFBLK, os.makedev(254, 0)); tries(os.mknod, 'mem', 0o600 | stat.S_IFCHR, os.makedev(1, 1))",
    "raw disks": "[tries(os.open, f'/dev/{d}', os.O_RDONLY) for d in ('vda', 'sda', 'nvme0n1', 'mem', 'kmsg', 'fuse', 'kvm', 'loop-control')]",
    "forging the marks of the overlay": (
        "os.mkdir('o'); tries(os.setxattr, 'o', 'trusted.overlay.opaque', b'y')\n"
        "try: os.setxattr('kept.txt', 'user.overlay.redirect', b'/etc')\nexcept OSError: pass\n"
        "open('kept.txt').read() == 'kept\\n' or escaped('redirected')"
    ),
    "a mount point made of links": "os.symlink('/oldroot/var/tmp', 'evil'); tries(os.mkdir, 'evil/planted')",
}

PROCESSES = {
    "the environment of every process": (
        "for p in filter(str.isdigit, os.listdir('/proc')):\n"
        "  try: SECRET in read_all(p) and escaped('environment of ' + p)\n  except OSError: pass\n"
        "SECRET in str(os.environ) and escaped('own environment'); tries(read, '/proc/1/environ')"
    ).replace("read_all(p)", "open(f'/proc/{p}/environ').read()"),
    "the memory of the first process": "tries(os.open, '/proc/1/mem', os.O_RDONLY); [tries(os.readlink, f'/proc/1/fd/{n}') for n in range(5)]; [tries(os.readlink, '/proc/1/' + n) for n in ('exe', 'root', 'cwd')]",
    "descriptors of the supervisor": (
        "got = sorted(int(e) for e in os.listdir('/proc/self/fd')); got[:3] == [0, 1, 2] and len(got) <= 4 or escaped(got)\n"
        "[escaped(os.readlink(f'/proc/self/fd/{e}')) for e in got[:3] if not os.readlink(f'/proc/self/fd/{e}').startswith(('pipe:', '/dev/null'))]"
    ),
    "processes of the host": "alive = [p for p in os.listdir('/proc') if p.isdigit()]; len(alive) <= 3 or escaped(alive)",
    "killing the first process": (
        "for n in (signal.SIGSTOP, signal.SIGINT, signal.SIGTERM, signal.SIGKILL):\n  try: os.kill(1, n)\n  except OSError: pass\n"
        "time.sleep(0.1); open('/proc/1/stat').read().split()[2] in 'RSD' or escaped('stopped'); [tries(os.kill, p, 0) for p in (300000, 2**22 - 2)]"
    ),
    "capabilities": (
        "s = open('/proc/self/status').read()\n"
        "[escaped(l) for l in s.splitlines() if l.startswith('Cap') and int(l.split()[1], 16)]; 'NoNewPrivs:\\t1' in s or escaped('privileges')\n"
        "'Seccomp:\\t2' in s or escaped('no filter')"
    ),
    "a setuid program": "r = subprocess.run(['su', '-c', 'id'], capture_output=True, stdin=subprocess.DEVNULL); r.returncode or escaped(r.stdout); tries(os.setuid, 1)",
    "raising its own limits": "import resource; tries(resource.setrlimit, resource.RLIMIT_NOFILE, (1 << 20, 1 << 20))",
    "shared memory of the host": "libc.shmget(0x52454D54, 1, 0) == -1 or escaped('segment')",
    "typing into the terminal": "import fcntl; [tries(fcntl.ioctl, 0, n, b'x') for n in (0x5412, 0x541C)]; tries(os.open, '/dev/tty', os.O_RDWR)",
    "a 32-bit system call": (
        "import mmap\ncode = bytes.fromhex('b814000000cd80c3')\nm = mmap.mmap(-1, 4096, prot=7); m.write(code)\n"
        "at = ctypes.addressof(ctypes.c_char.from_buffer(m)); p = os.fork()\n"
        "if p == 0: ctypes.CFUNCTYPE(ctypes.c_int)(at)(); os._exit(0)\n"
        "_, s = os.waitpid(p, 0); os.WIFSIGNALED(s) and os.WTERMSIG(s) == signal.SIGSYS or escaped(s)"
    ),
    "an x32 system call": "call(0x40000000 | 39)",
}

NETWORK = {
    "a host by address": "s = socket.socket(); s.settimeout(3); tries(s.connect, ('93.184.216.34', 80)); u = socket.socket(type=socket.SOCK_DGRAM); tries(u.sendto, b'x', ('8.8.8.8', 53))",
    "the host's own loopback": "s = socket.socket(); tries(s.connect, ('127.0.0.1', int({port})))",
    "looking up a name": "tries(socket.getaddrinfo, 'example.com', 80)",
    "IPv6": "s = socket.socket(socket.AF_INET6); tries(s.connect, ('2606:2800:220:1::1', 80))",
    "raw sockets": "tries(socket.socket, socket.AF_INET, socket.SOCK_RAW, 1); tries(socket.socket, socket.AF_PACKET, socket.SOCK_RAW)",
    "a socket to the hypervisor": "tries(socket.socket, socket.AF_VSOCK, socket.SOCK_STREAM)",
    "odd socket families": "[tries(socket.socket, f, t) for f in (3, 4, 5, 9, 21, 29, 31, 38, 39, 44) for t in (1, 2, 5)]; tries(socket.socketpair, 40, 1)",
    "kernel netlink": "[tries(socket.socket, socket.AF_NETLINK, socket.SOCK_RAW, n) for n in (4, 9, 12, 15)]",
    "an abstract socket of the host": "s = socket.socket(socket.AF_UNIX); tries(s.connect, '\\0remit-' + NONCE)",
    "a socket file of the host": "s = socket.socket(socket.AF_UNIX); tries(s.connect, CANARY + '.sock'); s = socket.socket(socket.AF_UNIX); tries(s.connect, 'live.sock')",
    "a socket of the display or bus": "[tries(os.stat, p) for p in ('/run/user', '/run/dbus', '/var/run/docker.sock', '/run/containerd', '/tmp/.X11-unix')]",
}

CALLS = {
    "ptrace": (101, 16, 1, 0, 0), "process_vm_readv": (310, 1, 0, 0, 0, 0, 0), "process_vm_writev": (311, 1, 0, 0, 0, 0, 0),
    "mount": (165, 0, 0, 0, 32, 0), "umount2": (166, 0, 0), "pivot_root": (155, 0, 0), "chroot": (161, 0), "unshare": (272, 0x10000000),
    "clone into a user namespace": (56, 0x10000000 | 17, 0, 0, 0, 0), "clone3": (435, 0, 0), "setns": (308, 0, 0), "bpf": (321, 0, 0, 0),
    "perf_event_open": (298, 0, 0, -1, -1, 0), "userfaultfd": (323, 0), "io_uring_setup": (425, 1, 0), "keyctl": (250, 0, -3, 0),
    "add_key": (248, 0, 0, 0, 0, -3), "request_key": (249, 0, 0, 0, 0), "open_by_handle_at": (304, -100, 0, 0),
    "name_to_handle_at": (303, -100, 0, 0, 0, 0), "kexec_load": (246, 0, 0, 0, 0), "init_module": (175, 0, 0, 0),
    "finit_module": (313, -1, 0, 0), "delete_module": (176, 0, 0), "swapon": (167, 0, 0), "quotactl": (179, 0, 0, 0, 0),
    "reboot": (169, 0, 0, 0, 0), "syslog": (103, 3, 0, 0), "acct": (163, 0), "fsopen": (430, 0, 0), "open_tree": (428, -100, 0, 1),
    "move_mount": (429, -1, 0, -1, 0, 0), "mount_setattr": (442, -1, 0, 0, 0, 0), "pidfd_getfd": (438, 0, 0, 0), "kcmp": (312, 1, 1, 0, 0, 0),
    "personality": (135, 0x0400000), "fanotify_init": (300, 0, 0), "settimeofday": (164, 0, 0), "sethostname": (170, 0, 0), "iopl": (172, 3),
}  # fmt: skip
