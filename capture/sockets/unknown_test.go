package sockets

import (
	"net/netip"
	"testing"
)

// TestUnknown: why it is not known whose an end is, is told of every end that is this machine's.
func TestUnknown(t *testing.T) {
	t.Parallel()
	at := tuple{here, there}
	held := func(of tuple) (told, bool, error) {
		return told{tuple: of, state: 1, cookie: 77, inode: 5, cgroup: 1}, of == at, nil
	}
	for name, tt := range map[string]struct {
		one   func(tuple) (told, bool, error)
		ended bool // the kernel tells of its end
		ask   bool
		want  Reason
	}{
		"ended before": {nil, true, true, Ended},
		"no socket":    {nil, false, true, Missing},
		"nobody holds": {held, false, true, Hidden},
		"held, ended":  {held, true, true, Hidden},
		"nobody asked": {nil, false, false, Unasked},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFake()
			f.cgroup = func(uint64) string { return noGroup }
			if tt.one != nil {
				f.one = tt.one
			}
			w := f.start(t)
			if tt.ended {
				f.heard <- fabricated(at, 0, 7, 0, countedLen)
				eventuallyHas(t, w, at)
			}
			if tt.ask {
				w.Opened(here, there)
				w.wait(t, func(t Tally) bool { return t.Missed+t.Found == 1 })
			}
			w.Finish()
			ends := w.Take(here, there)
			if ends[0] == nil || ends[1] != nil {
				t.Fatalf("the client's end is this machine's, and the other is not: %v", ends)
			}
			if got := ends[0]; got.Unknown != tt.want || got.Cgroup != "" {
				t.Errorf("%q in control group %q, want %q in none", got.Unknown, got.Cgroup, tt.want)
			}
			if other := w.Take(there, netip.AddrPortFrom(there.Addr(), 1)); other != [2]*End{} {
				t.Errorf("ends of others are %v", other)
			}
		})
	}
}

// TestReasons: each has a name by which it is found again.
func TestReasons(t *testing.T) {
	for r := Ended; r <= Unasked; r++ {
		if got, ok := ParseReason(r.String()); !ok || got != r || r.String() == "" {
			t.Errorf("%d is called %q, which is %d", r, r, got)
		}
	}
	if _, ok := ParseReason(""); ok {
		t.Error("no name is a reason")
	}
}
