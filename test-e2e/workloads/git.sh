# History, branches, a merge, clones and housekeeping.
export GIT_AUTHOR_DATE='2024-01-01T00:00:00Z' GIT_COMMITTER_DATE='2024-01-01T00:00:00Z'
git config --global user.name Somebody
git config --global user.email somebody@example.org
git config --global init.defaultBranch main
git config --global pack.threads 1
git config --global advice.detachedHead false
git init -q origin
cd origin
for i in $(seq 20); do
  mkdir -p "directory-$((i % 4))"
  seq "$((i * 100))" >"directory-$((i % 4))/file-$i"
  ln -s "file-$i" "directory-$((i % 4))/link-$i"
  git add . && git commit -qm "Number $i"
done
git checkout -qb other HEAD~5 && echo other >other && git add other && git commit -qm Other
git checkout -q main && git merge -q -m Merged other
git mv directory-0 moved && git commit -qm Moved && git log --format='%h %s' --graph
git stash list && echo changed >>other && git stash -q && git status --short && git stash pop -q && git diff --stat
git checkout -q . && git clean -fdxq
cd ..
git clone -q origin clone && git clone -q --bare --no-local origin bare.git && git -C clone worktree add -q ../tree HEAD~3
git -C clone gc -q --prune=now && git -C clone fsck --full --strict && git -C bare.git fsck --full
git -C bare.git count-objects -v | sed '/size/d'
git -C clone rev-parse HEAD main && git -C tree ls-files | wc -l && git -C bare.git archive HEAD | sha256sum
echo more >clone/more && git -C clone add more && git -C clone commit -qm More && git -C clone push -q ../bare.git main:new
git -C bare.git for-each-ref
