# Programs under an emulator of this very processor, which handles signals and paths in its own way.
emulate() { /opt/qemu-x86_64-static "$@"; }
emulate /bin/ls -la /etc/apt
emulate /bin/bash -c 'cd /usr/share && pwd -P; trap "echo caught" USR1; kill -USR1 $$; echo $(echo substituted); exit 8'
echo $?
emulate /usr/bin/python3 -c 'import os, threading
threads = [threading.Thread(target=os.stat, args=("/etc",)) for _ in range(20)]
for thread in threads: thread.start()
for thread in threads: thread.join()
print(os.getcwd(), os.path.exists("/no/such/file"), os.readlink("/proc/self/cwd"))'
emulate /bin/cat /no/such/file
echo $?
