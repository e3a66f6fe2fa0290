# Four writers at once, under each kind of locking.
for journal in delete wal; do
  sqlite3 $journal.db "pragma journal_mode=$journal; create table entry(writer, number)"
  for writer in 1 2 3 4; do
    for number in $(seq 40); do
      echo "insert into entry values($writer, $number);"
    done | sqlite3 -cmd '.timeout 60000' $journal.db &
  done
  wait
  sqlite3 $journal.db 'select writer, count(*), sum(number) from entry group by writer; pragma integrity_check'
done
ls
