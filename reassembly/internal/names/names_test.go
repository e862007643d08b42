package names

import (
	"encoding/binary"
	"net/netip"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"tcpwhy/capture"
)

// line is one message, or a connection, of a conversation.
type line struct {
	at   time.Duration
	from string // address and port
	to   string
	id   uint16
	name string
	kind dnsmessage.Type
	code dnsmessage.RCode
	tc   bool
	addr string // of an answer, several with blanks between
}

const (
	host     = "10.0.0.1:40000"
	resolver = "10.0.0.53:53"
	web      = "www.example.com."
	a, aaaa  = dnsmessage.TypeA, dnsmessage.TypeAAAA
)

// packed is the message of a line.
func (l *line) packed(t testing.TB) []byte {
	t.Helper()
	name := dnsmessage.MustNewName(l.name)
	response := strings.HasSuffix(l.from, ":53")
	b := dnsmessage.NewBuilder(nil, dnsmessage.Header{
		ID: l.id, Response: response, RCode: l.code, Truncated: l.tc, RecursionDesired: true,
	})
	err := b.StartQuestions()
	if err == nil {
		err = b.Question(dnsmessage.Question{Name: name, Type: l.kind, Class: dnsmessage.ClassINET})
	}
	if err == nil {
		err = b.StartAnswers()
	}
	for _, s := range strings.Fields(l.addr) {
		h := dnsmessage.ResourceHeader{Name: name, Class: dnsmessage.ClassINET, TTL: 30}
		if addr := netip.MustParseAddr(s); addr.Is4() {
			err = b.AResource(h, dnsmessage.AResource{A: addr.As4()})
		} else {
			err = b.AAAAResource(h, dnsmessage.AAAAResource{AAAA: addr.As16()})
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	p, err := b.Finish()
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// segment is a line as it is captured.
func (l *line) segment(t testing.TB, n int) *capture.Segment {
	p := l.packed(t)
	return &capture.Segment{
		Mark: capture.Mark{Time: l.at, Frame: capture.NewFrameID(0, uint64(n+1))},
		Kind: capture.Datagram, Len: uint32(len(p)), Payload: p,
		Src: netip.MustParseAddrPort(l.from), Dst: netip.MustParseAddrPort(l.to),
	}
}

const ms = time.Millisecond

// ask and answer are lines between the host and its resolver.
func ask(at time.Duration, port string, id uint16, name string, kind dnsmessage.Type) line {
	return line{at: at, from: "10.0.0.1:" + port, to: resolver, id: id, name: name, kind: kind}
}

func answer(q line, at time.Duration, addr string) line {
	return line{at: at, from: q.to, to: q.from, id: q.id, name: q.name, kind: q.kind, addr: addr}
}

func unknown(q line, at time.Duration) line {
	l := answer(q, at, "")
	l.code = dnsmessage.RCodeNameError
	return l
}

// TestConnects has conversations and the connection that follows: which look-up it waited for.
func TestConnects(t *testing.T) {
	const server = "192.0.2.7"
	qa, q6 := ask(0, "40000", 7, web, a), ask(0, "40000", 8, web, aaaa)
	qa2, q62 := qa, q6
	qa2.at, q62.at = 5000*ms, 5000*ms
	search := ask(0, "40001", 1, "www.example.com.shop.svc.cluster.local.", a)
	search2 := ask(3*ms, "40002", 2, "www.example.com.svc.cluster.local.", a)
	search3 := ask(6*ms, "40003", 3, web, a)
	list1 := ask(0, "40001", 1, "www.example.com.corp.example.", a)
	list2 := ask(3*ms, "40002", 2, "www.example.com.lab.test.", a)
	late2 := ask(50*ms, "40002", 2, "www.example.com.lab.test.", a)
	refused := answer(qa, 2*ms, "")
	refused.code = dnsmessage.RCodeServerFailure
	second := ask(3*ms, "40055", 9, web, a)
	second.to = "10.0.0.54:53"
	stub := line{from: "127.0.0.1:5000", to: "127.0.0.53:53", id: 1, name: web, kind: a}
	other := ask(0, "40100", 99, "other.example.", a)
	for _, tt := range []struct {
		name  string
		lines []line
		at    time.Duration // of the connection
		begin time.Duration
		tries int // 0: it waited for none
	}{
		{"at once", []line{qa, q6, answer(qa, ms, server), answer(q6, 2*ms, "")}, 3 * ms, 0, 2},
		{"long after", []line{qa, answer(qa, ms, server)}, 3000 * ms, 0, 0},
		{"to another address", []line{qa, answer(qa, ms, "192.0.2.8")}, 3 * ms, 0, 0},
		{"of another host in the meantime", []line{other, qa, answer(qa, ms, server)}, 3 * ms, 0, 1},
		{"not answered, then answered", []line{qa, qa2, answer(qa, 5001*ms, server)}, 5002 * ms, 0, 2},
		{"one of two lost", []line{qa, q6, answer(qa, ms, server), qa2, answer(qa2, 5001*ms, server), q62,
			answer(q62, 5002*ms, "")}, 5003 * ms, 0, 4},
		{"another program asked in between", []line{qa, ask(2123*ms, "41000", 77, web, a),
			answer(ask(2123*ms, "41000", 77, web, a), 2124*ms, server)}, 2125 * ms, 2123 * ms, 1},
		{"asked again by another query when the timer ran out", []line{qa, ask(5003*ms, "41000", 77, web, a),
			answer(ask(5003*ms, "41000", 77, web, a), 5004*ms, server)}, 5005 * ms, 0, 2},
		{"search domains", []line{search, unknown(search, 2*ms), search2, unknown(search2, 5*ms), search3,
			answer(search3, 8*ms, server)}, 9 * ms, 0, 3},
		{"search domains of which none is part of another", []line{list1, unknown(list1, 2*ms), list2, unknown(list2, 5*ms),
			search3, answer(search3, 8*ms, server)}, 9 * ms, 0, 3},
		{"another name that begins alike, later", []line{list1, unknown(list1, 2*ms), late2, unknown(late2, 52*ms),
			ask(53*ms, "40003", 3, web, a), answer(ask(53*ms, "40003", 3, web, a), 58*ms, server)}, 59 * ms, 50 * ms, 2},
		{"error, then another server", []line{qa, refused, second, answer(second, 5*ms, server)}, 6 * ms, 0, 2},
		{"given up", []line{qa, q6, answer(qa, ms, server)}, 5000 * ms, 0, 2},
		{"stub on the same host", []line{stub, qa, answer(qa, 2*ms, server), answer(stub, 3*ms, server)}, 4 * ms, 0, 2},
		{"first query not captured", []line{answer(qa, ms, server)}, 2 * ms, 0, 0},
	} {
		var f Follower
		for i := range tt.lines {
			f.Message(tt.lines[i].segment(t, i))
		}
		l := f.Connects(
			netip.MustParseAddr("10.0.0.1"),
			netip.MustParseAddr(server),
			capture.Mark{Time: tt.at},
		)
		switch {
		case l == nil && tt.tries > 0 || l != nil && tt.tries == 0:
			t.Errorf("%s: look-up %+v, want %d tries", tt.name, l, tt.tries)
		case l != nil && (len(l.Tries) != tt.tries || l.Begin.Time != tt.begin || l.Name != "www.example.com"):
			t.Errorf("%s: look-up %+v, want %d tries from %v on", tt.name, l, tt.tries, tt.begin)
		}
	}
}

// TestConnectsWithoutAsking has a client that connects whether it asked or not: its look-ups are
// not what connections wait for.
func TestConnectsWithoutAsking(t *testing.T) {
	var f Follower
	client, server := netip.MustParseAddr("10.0.0.1"), netip.MustParseAddr("192.0.2.7")
	other := ask(0, "40000", 1, "other.example.", a)
	f.Message(other.segment(t, 0))
	f.Connects(client, server, capture.Mark{Time: 100 * ms})
	q := ask(200*ms, "40001", 2, web, a)
	late := answer(q, 600*ms, "192.0.2.7")
	f.Message(q.segment(t, 1))
	f.Message(late.segment(t, 2))
	if l := f.Connects(client, server, capture.Mark{Time: 601 * ms}); l != nil {
		t.Errorf("look-up %+v, want none", l)
	}
}

// TestStream has messages in segments of TCP: with their length, without, and two in one.
func TestStream(t *testing.T) {
	q, r := ask(0, "40000", 7, web, a), ask(0, "40000", 8, web, aaaa)
	long := func(p []byte) []byte {
		return append(binary.BigEndian.AppendUint16(nil, uint16(len(p))), p...)
	}
	qp, rp := q.packed(t), r.packed(t)
	for name, p := range map[string][]byte{
		"two": append(long(qp), long(rp)...), "cut": append(long(qp), long(rp)[:len(rp)]...),
		"alone": qp,
	} {
		var f Follower
		seg := q.segment(t, 0)
		seg.Kind, seg.Payload = capture.TCP, p
		f.Message(seg)
		want := 2
		if name == "alone" || name == "cut" {
			want = 1
		}
		got := 0
		for _, r := range f.clients[netip.MustParseAddr("10.0.0.1")] {
			got += len(r.queries)
		}
		if got != want {
			t.Errorf("%s: %d queries, want %d", name, got, want)
		}
	}
}

// TestFollowerIsBounded asks for more names, from more hosts, than are remembered.
func TestFollowerIsBounded(t *testing.T) {
	var f Follower
	for i := range 3 * maxRuns {
		q := ask(time.Duration(i)*10*time.Microsecond, "40000", uint16(i), web, a)
		seg := q.segment(t, i)
		seg.Src = netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, byte(i % 32), 0, 1}), uint16(i))
		f.Message(seg)
		f.Connects(
			seg.Src.Addr(),
			netip.AddrFrom4([4]byte{byte(i >> 16), byte(i >> 8), byte(i), 1}),
			seg.Mark,
		)
	}
	if f.runs > maxRuns || f.tally.Left == 0 || len(f.silent) > maxSilent {
		t.Errorf("%d look-ups, %d left out, %d silent", f.runs, f.tally.Left, len(f.silent))
	}
	end := ask(10*time.Minute, "40000", 1, web, a)
	f.Message(end.segment(t, 0))
	if f.runs != 1 || len(f.clients) != 1 || len(f.found) != 0 || len(f.silent) != 0 {
		t.Errorf("%d look-ups of %d clients are left", f.runs, len(f.clients))
	}
}

// FuzzMessage gives the follower anything.
func FuzzMessage(f *testing.F) {
	q := ask(0, "40000", 7, web, a)
	r := answer(q, ms, "192.0.2.7 192.0.2.8")
	f.Add(q.packed(f), r.packed(f))
	f.Fuzz(func(t *testing.T, first, second []byte) {
		var l Follower
		for i, p := range [][]byte{first, second} {
			seg := q.segment(t, i)
			if i == 1 {
				seg = r.segment(t, i)
			}
			seg.Payload = p
			l.Message(seg)
			seg.Kind = capture.TCP
			l.Message(seg)
		}
		l.Connects(
			netip.MustParseAddr("10.0.0.1"),
			netip.MustParseAddr("192.0.2.7"),
			capture.Mark{Time: 2 * ms},
		)
	})
}

// TestTally counts look-ups that lead nowhere, and has their names only if they are kept.
func TestTally(t *testing.T) {
	for _, keep := range []bool{false, true} {
		var f Follower
		if keep {
			f.KeepNames()
		}
		gone := ask(0, "40000", 1, "gone.example.", a)
		failed := ask(1*ms, "40001", 2, "failed.example.", a)
		wrong := answer(failed, 3*ms, "")
		wrong.code = dnsmessage.RCodeServerFailure
		lines := []line{
			gone,
			unknown(gone, ms),
			failed,
			wrong,
			ask(4*ms, "40002", 3, "silent.example.", a),
			ask(
				5*ms,
				"40003",
				4,
				"other.example.",
				aaaa,
			),
			answer(ask(5*ms, "40003", 4, "other.example.", aaaa), 6*ms, ""),
		}
		for i := range lines {
			f.Message(lines[i].segment(t, i))
		}
		for _, now := range []time.Duration{5 * time.Second, time.Hour} { // remembered, and forgotten
			last := ask(now, "41000", 9, "last.example.", a)
			f.Message(last.segment(t, 99))
			got := f.Tally(now)
			if got.Unknown != 1 || got.Failed != 1 || got.Unanswered < 1 {
				t.Errorf("at %v: %+v, want one of each", now, got)
			}
			if names := strings.Join(got.Names, " "); keep != strings.Contains(
				names,
				"failed.example gone.example",
			) {
				t.Errorf("at %v: names %q, kept %v", now, names, keep)
			}
		}
	}
}
