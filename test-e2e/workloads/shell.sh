# What shells do with processes.
for code in 7 126 127 137; do (exit $code); echo $?; sh -c "exit $code"; echo $?; done
for signal in KILL SEGV TERM; do (sh -c "kill -$signal \$\$"; echo $?) 2>/dev/null; done
/etc/passwd; echo $?
/no/such/program; echo $?
diff <(seq 3) <(seq 4)
tee >(wc -l >counted) >/dev/null < <(seq 100); wait $!; cat counted
mkdir gone && cd gone && rmdir ../gone
pwd; /bin/pwd; echo $?; ls; cat file; echo text >file; cd ..; readlink /proc/self/cwd
pipeline=cat
for i in $(seq 400); do pipeline="$pipeline | cat"; done
seq 1000 | eval "$pipeline" | sha256sum
for i in $(seq 300); do (exit $((i % 5))) & done; for job in $(jobs -p); do wait "$job"; echo $?; done | sort | uniq -c
timeout 0.2 sleep 60; echo $?
trap 'echo interrupted; exit 3' INT; kill -INT $$; echo not reached
