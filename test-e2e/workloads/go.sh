# A Go program: goroutines, files, children and signals.
export GOCACHE=/work/cache GOFLAGS=-mod=mod GO111MODULE=on
cat >go.mod <<'END'
module sample
END
cat >main.go <<'END'
package main

import (
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"sync"
	"syscall"
)

func try(err error) {
	if err != nil {
		panic(err)
	}
}

func work(number int) {
	name := fmt.Sprintf("file-%d", number)
	try(os.WriteFile(name, []byte(name), 0o644))
	for i := 0; i < 50; i++ {
		_, err := os.Stat(name)
		try(err)
	}
	output, err := exec.Command("/bin/cat", name).Output()
	try(err)
	if string(output) != name {
		panic(string(output))
	}
	try(os.Remove(name))
}

func main() {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGUSR1)
	var group sync.WaitGroup
	for i := 0; i < 40; i++ {
		group.Add(1)
		go func(number int) {
			defer group.Done()
			work(number)
		}(i)
	}
	group.Wait()
	try(syscall.Kill(os.Getpid(), syscall.SIGUSR1))
	fmt.Println(<-signals)
	directory, err := os.Getwd()
	fmt.Println(directory, err)
	program, err := os.Executable()
	fmt.Println(program, err)
	_, err = os.Open("/no/such/file")
	fmt.Println(err)
	count := 0
	try(filepath.Walk("/etc", func(string, os.FileInfo, error) error { count++; return nil }))
	fmt.Println(count)
	try(syscall.Exec("/bin/sh", []string{"sh", "-c", "exit 9"}, os.Environ()))
}
END
go vet . && go build -o program . && ./program
echo $?
