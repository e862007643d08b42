package sockets

import (
	"encoding/binary"
	"errors"
	"net/netip"
	"strings"
	"testing"
	"time"
)

var (
	here  = netip.MustParseAddrPort("10.0.0.1:40000")
	there = netip.MustParseAddrPort("192.0.2.7:80")
)

// fabricated is an answer about a socket as a kernel gives it, with so many octets of struct
// tcp_info.
func fabricated(t tuple, seq uint32, state uint8, inode uint32, info int) []byte {
	native := binary.NativeEndian
	b := make([]byte, headerLen)
	native.PutUint16(b[4:], typeByFam)
	native.PutUint32(b[8:], seq)
	b = append(b, familyOf(t.local.Addr()), state, 0, 0)
	b = binary.BigEndian.AppendUint16(b, t.local.Port())
	b = binary.BigEndian.AppendUint16(b, t.remote.Port())
	b = appendAddr(appendAddr(b, t.local.Addr()), t.remote.Addr())
	b = native.AppendUint32(b, 0)
	b = native.AppendUint64(b, 77)                               // cookie
	b = append(b, make([]byte, 12)...)                           // timers, queues
	b = native.AppendUint32(native.AppendUint32(b, 1000), inode) // owner
	attr := func(kind uint16, value []byte) {
		b = native.AppendUint16(native.AppendUint16(b, uint16(attrHeadLen+len(value))), kind)
		b = append(b, value...)
		b = append(b, make([]byte, (4-len(value)%4)%4)...)
	}
	if info >= 0 {
		i := make([]byte, max(info, countedLen))
		for at := range len(i) / 4 {
			native.PutUint32(i[4*at:], uint32(4*at)) // each word its place
		}
		attr(attrInfo, i[:info])
	}
	attr(attrCong, []byte("cubic\x00"))
	attr(attrCgroup, native.AppendUint64(nil, 4711))
	native.PutUint32(b, uint32(len(b)))
	return b
}

// TestAnswer reads what a kernel says.
func TestAnswer(t *testing.T) {
	of := tuple{here, there}
	got, found, over, err := answer(fabricated(of, 5, 1, 9, countedLen), 5, of)
	if err != nil || !found || !over {
		t.Fatal(found, over, err)
	}
	if got.tuple != of || got.uid != 1000 || got.inode != 9 || got.cgroup != 4711 ||
		got.cookie != 77 {
		t.Errorf("%+v", got)
	}
	want := Account{
		RTT: 68 * time.Microsecond, MinRTT: 148 * time.Microsecond, Retransmissions: 100, NotSent: 144,
		Delivered: 192, Counted: true, Congestion: "cubic",
		Busy: (172<<32 | 168) * time.Microsecond, RwndLimited: (180<<32 | 176) * time.Microsecond,
		SndbufLimited: (188<<32 | 184) * time.Microsecond,
	}
	got.account.Sent = 0
	if *got.account != want {
		t.Errorf("got %+v, want %+v", *got.account, want)
	}
}

// TestShortInfo: of an old kernel's tcp_info only what there is.
func TestShortInfo(t *testing.T) {
	of := tuple{here, there}
	for info, want := range map[int]string{-1: "none", 0: "none", 148: "none", 152: "short", 212: "short", 216: "whole", 280: "whole"} {
		got, _, _, err := answer(fabricated(of, 5, 1, 9, info), 5, of)
		if err != nil {
			t.Fatal(info, err)
		}
		is := "none"
		if a := got.account; a != nil && a.Counted {
			is = "whole"
		} else if a != nil {
			is = "short"
		}
		if is != want {
			t.Errorf("%d octets: %s, want %s", info, is, want)
		}
	}
}

// TestLies: what is no answer to the question is none.
func TestLies(t *testing.T) {
	of := tuple{here, there}
	other := tuple{here, netip.MustParseAddrPort("192.0.2.8:80")}
	right := fabricated(of, 5, 1, 9, countedLen)
	long := append([]byte(nil), right...)
	binary.NativeEndian.PutUint32(long, 1<<31)
	empty := append([]byte(nil), right...)
	binary.NativeEndian.PutUint32(empty, 0)
	attr := append([]byte(nil), right...)
	binary.NativeEndian.PutUint16(attr[headerLen+diagLen:], 1)
	family := append([]byte(nil), right...)
	family[headerLen] = 1
	refused := func(errno int32) []byte {
		b := make([]byte, headerLen+4)
		binary.NativeEndian.PutUint32(b, uint32(len(b)))
		binary.NativeEndian.PutUint16(b[4:], typeError)
		binary.NativeEndian.PutUint32(b[8:], 5)
		binary.NativeEndian.PutUint32(b[headerLen:], uint32(-errno))
		return b
	}
	for name, c := range map[string]struct {
		b           []byte
		found, over bool
		bad         bool
	}{
		"right":                   {right, true, true, false},
		"an earlier answer first": {append(fabricated(other, 4, 1, 8, countedLen), right...), true, true, false},
		"an earlier answer alone": {fabricated(other, 4, 1, 8, countedLen), false, false, false},
		"of another socket":       {fabricated(other, 5, 1, 8, countedLen), false, true, true},
		"who listens there":       {fabricated(tuple{here, netip.AddrPort{}}, 5, stateListen, 8, 0), true, true, false},
		"who listens elsewhere":   {fabricated(tuple{there, netip.AddrPort{}}, 5, stateListen, 8, 0), false, true, true},
		"longer than there is":    {long, false, false, true},
		"without a length":        {empty, false, false, true},
		"cut in its header":       {right[:10], false, false, true},
		"an attribute too short":  {attr, false, true, true},
		"of another family":       {family, false, true, true},
		"no such socket":          {refused(2), false, true, false},
		"not allowed":             {refused(1), false, true, true},
		"nothing":                 {nil, false, false, false},
	} {
		_, found, over, err := answer(c.b, 5, of)
		if found != c.found || over != c.over || (err != nil) != c.bad {
			t.Errorf("%s: found %v, over %v, error %v", name, found, over, err)
		}
	}
}

// TestAll: of several answers that are one, each.
func TestAll(t *testing.T) {
	of := tuple{here, there}
	done := make([]byte, headerLen)
	binary.NativeEndian.PutUint32(done, headerLen)
	binary.NativeEndian.PutUint16(done[4:], typeDone)
	binary.NativeEndian.PutUint32(done[8:], 5)
	n := 0
	count := func(*told) { n++ }
	two := append(fabricated(of, 5, 1, 9, countedLen), fabricated(of, 5, 1, 9, countedLen)...)
	if over, err := each(two, 5, count); over || err != nil || n != 2 {
		t.Error(over, err, n)
	}
	if over, err := each(append(two, done...), 5, count); !over || err != nil || n != 4 {
		t.Error(over, err, n)
	}
	if _, err := each(two[:len(two)-4], 5, count); !errors.Is(err, errOdd) || n != 5 {
		t.Error(err, n)
	}
}

// TestCongestionName: a name with what terminals act on is none.
func TestCongestionName(t *testing.T) {
	for text, want := range map[string]string{
		"cubic\x00": "cubic", "bbr": "bbr", "\x1b[31m\x00": "", "": "", strings.Repeat("a", 99): strings.Repeat("a", 16),
	} {
		if got := name([]byte(text)); got != want {
			t.Errorf("name(%q) = %q, want %q", text, got, want)
		}
	}
}

// FuzzMessages: whatever is read ends, and nothing is read of what is not there.
func FuzzMessages(f *testing.F) {
	of := tuple{here, there}
	f.Add(fabricated(of, 5, 1, 9, countedLen))
	f.Add(append(fabricated(of, 5, stateListen, 9, 0), 1, 2, 3))
	f.Fuzz(func(t *testing.T, b []byte) {
		got, found, _, err := answer(b, 5, of)
		if found && (err != nil || !got.answers(of)) {
			t.Errorf("found %+v with %v", got, err)
		}
		n := 0
		each(b, 5, func(*told) { n++ })
		ended(b, func(*told) { n++ })
		if n > 2*len(b)/(headerLen+diagLen) {
			t.Errorf("%d sockets in %d octets", n, len(b))
		}
	})
}
