package cli

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// keyLine is a line of a key log, of a connection with the given number.
func keyLine(n int) string { return fmt.Sprintf("CLIENT_RANDOM %064x %096x\n", n, n) }

// TestFollowKeyLogs has one that is not there yet, grows by parts of lines, and is replaced.
func TestFollowKeyLogs(t *testing.T) {
	t.Parallel()
	name := filepath.Join(t.TempDir(), "keys.txt")
	o := options{sources: sources{keyLogs: []string{name}}}
	warned := 0
	log, stop := o.followKeyLogs(func(error) { warned++ })
	defer stop()
	wait := func(used uint64) {
		t.Helper()
		for range 500 {
			if log.Secrets().Tally().Used >= used {
				return
			}
			time.Sleep(10 * time.Millisecond)
		}
		t.Fatalf("%+v, want %d", log.Secrets().Tally(), used)
	}
	write := func(flag int, text string) {
		t.Helper()
		f, err := os.OpenFile(name, flag|os.O_CREATE|os.O_WRONLY, 0o600)
		if err == nil {
			_, err = f.WriteString(text)
		}
		if err != nil {
			t.Fatal(err)
		}
		f.Close()
	}
	write(os.O_APPEND, keyLine(1)+keyLine(2)[:50])
	wait(1)
	time.Sleep(3 * keyLogEvery)
	if got := log.Secrets().Tally(); got.Used != 1 || got.Bad != 0 {
		t.Errorf("a line that has not ended: %+v", got)
	}
	write(os.O_APPEND, keyLine(2)[50:])
	wait(2)
	if err := os.Rename(name, name+".old"); err != nil {
		t.Fatal(err)
	}
	write(os.O_APPEND, keyLine(3))
	wait(3)
	write(os.O_TRUNC, "")
	time.Sleep(3 * keyLogEvery)
	write(os.O_APPEND, keyLine(4))
	wait(4)
	if warned != 1 || !log.Grows() {
		t.Errorf("%d warnings, grows: %v", warned, log.Grows())
	}
}
