package quic

import (
	"maps"
	"net/netip"
	"slices"
	"time"

	"tcpwhy/capture"
)

const (
	maxFlows = 1 << 12 // that are followed at a time
	maxNames = 64      // that are kept of all
	// maxInitials is how many packets of a client are opened, of one flow: a hello has two or
	// three, and as many copies.
	maxInitials = 16
	// idleFlow is how long a flow is remembered that is silent (RFC 9000 §10.1: 30 s, mostly).
	idleFlow = 30 * time.Second
	// Patience is how long before a connection of TCP an attempt may have begun, for the connection
	// to be made in its place. Browsers wait for 300 ms, clients that know no better for their
	// handshake timeout, mostly 5 or 10 s.
	Patience = 15 * time.Second
	// together is how near to each other connections begin that an attempt led to.
	together = 10 * time.Millisecond
)

// Attempt is a QUIC connection that a client tried, and that nobody had answered when it opened one
// of TCP to the same address and port. It never changes.
type Attempt struct {
	Name   string       // of the server, as the client asked for it; "" if that was not read
	ALPN   string       // the first protocol that it offered
	First  capture.Mark // its first Initial packet
	Latest capture.Mark // its latest
	Tries  int          // datagrams that it sent
}

// flow is one QUIC connection, by its addresses.
type flow struct{ client, server netip.AddrPort }

// trial is a client and what it tried, from whatever port.
type trial struct {
	client netip.Addr
	server netip.AddrPort
}

const maxTrials = 16 // of one client and server that are looked at

// state is what is known of one.
type state struct {
	Attempt
	version  uint32
	hello    hello
	keys     *keys
	opened   int           // packets that were opened, or tried
	answered capture.Mark  // the first datagram of the server; no frame: none
	done     capture.Mark  // the first that shows that the server has finished its handshake
	last     time.Duration // the latest datagram of either side
	octets   int64         // of both sides
	taken    time.Duration // when a connection of TCP took its place; 0: none did
}

// Follower follows the QUIC connections of all hosts. It is not safe for use by several goroutines.
type Follower struct {
	flows map[flow]*state
	tried map[trial][]*state // the latest of each client and server
	swept time.Duration
	tally Tally
	names map[string]bool
}

// Tally counts QUIC connections.
type Tally struct {
	Connections uint64 // that a client began
	Answered    uint64 // that a server answered
	Done        uint64 // of which the server finished its handshake
	Octets      uint64 // of the payloads of their datagrams
	// from the first Initial packet to that, of all Done together
	Handshakes time.Duration
	Names      []string // that clients asked for, in order, some at most
}

// Merge takes in what was counted of other connections.
func (t *Tally) Merge(o *Tally) {
	t.Connections, t.Answered = t.Connections+o.Connections, t.Answered+o.Answered
	t.Done, t.Octets, t.Handshakes = t.Done+o.Done, t.Octets+o.Octets, t.Handshakes+o.Handshakes
	t.Names = append(t.Names, o.Names...)
	slices.Sort(t.Names)
	t.Names = slices.Compact(t.Names)
	t.Names = t.Names[:min(len(t.Names), maxNames)]
}

// Tally is what has been counted so far.
func (f *Follower) Tally() Tally {
	t := f.tally
	for _, s := range f.flows {
		t.add(s)
	}
	t.Names = slices.Sorted(maps.Keys(f.names))
	return t
}

func (t *Tally) add(s *state) {
	t.Connections++
	t.Octets += uint64(s.octets)
	if s.answered.Frame != 0 {
		t.Answered++
	}
	if s.done.Frame != 0 {
		t.Done++
		t.Handshakes += s.done.Time - s.First.Time
	}
}

// Datagram takes a datagram that may be QUIC.
func (f *Follower) Datagram(seg *capture.Segment) {
	f.sweep(seg.Time)
	up, down := flow{seg.Src, seg.Dst}, flow{seg.Dst, seg.Src}
	if s := f.flows[down]; s != nil {
		s.answers(seg)
		return
	}
	s := f.flows[up]
	if s == nil {
		if s = f.begins(seg); s == nil {
			return
		}
		f.flows[up] = s
		t := trial{up.client.Addr(), up.server}
		all := f.tried[t]
		f.tried[t] = append(all[max(0, len(all)+1-maxTrials):], s)
	}
	s.says(seg)
	if s.Name != "" && len(f.names) < maxNames {
		if f.names == nil {
			f.names = map[string]bool{}
		}
		f.names[s.Name] = true
	}
}

// begins is a new flow, if the datagram begins with an Initial packet of a client: one that opens.
func (f *Follower) begins(seg *capture.Segment) *state {
	p, _ := next(seg.Payload)
	if p.kind != initial || len(f.flows) >= maxFlows {
		return nil
	}
	k := clientKeys(p.version, p.dcid)
	if k == nil {
		return nil
	}
	if _, ok := k.open(&p); !ok {
		return nil
	}
	if f.flows == nil {
		f.flows, f.tried = map[flow]*state{}, map[trial][]*state{}
	}
	return &state{Attempt: Attempt{First: seg.Mark}, version: p.version, keys: k}
}

// says takes a datagram of the client.
func (s *state) says(seg *capture.Segment) {
	s.last, s.octets = seg.Time, s.octets+int64(seg.Len)
	s.Latest = seg.Mark
	s.Tries++
	for rest := seg.Payload; len(rest) > 0 && !s.hello.read && s.opened < maxInitials; {
		var p packet
		if p, rest = next(rest); p.kind != initial {
			continue
		}
		s.opened++
		plain, ok := s.keys.open(&p)
		if !ok { // behind a Retry the client sends to another connection ID (RFC 9001 §5.2)
			if k := clientKeys(p.version, p.dcid); k != nil {
				if plain, ok = k.open(&p); ok {
					s.keys = k
				}
			}
		}
		if ok {
			s.hello.frames(plain)
			s.Name, s.ALPN = s.hello.name, s.hello.alpn
		}
	}
}

// answers takes a datagram of the server.
func (s *state) answers(seg *capture.Segment) {
	s.last, s.octets = seg.Time, s.octets+int64(seg.Len)
	if s.answered.Frame == 0 {
		s.answered = seg.Mark
	}
	for rest := seg.Payload; len(rest) > 0 && s.done.Frame == 0; {
		var p packet
		if p, rest = next(rest); p.kind == handshake || p.kind == short {
			s.done = seg.Mark
		}
	}
}

// Connects is the attempt in whose place a client opens a connection of TCP to a server, with the
// segment at the given moment; nil if there was none: the latest that nobody had answered by then.
func (f *Follower) Connects(client netip.Addr, server netip.AddrPort, at capture.Mark) *Attempt {
	var best *state
	for _, s := range f.tried[trial{client, server}] {
		if s.answered.Frame != 0 || at.Time < s.First.Time || at.Time-s.First.Time > Patience ||
			s.taken > 0 && at.Time-s.taken > together {
			continue
		}
		best = s
	}
	if best == nil {
		return nil
	}
	if best.taken == 0 {
		best.taken = at.Time
	}
	a := best.Attempt
	return &a
}

// sweep forgets flows that have been silent, now and then.
func (f *Follower) sweep(now time.Duration) {
	if now-f.swept < idleFlow/3 && len(f.flows) < maxFlows {
		return
	}
	if now-f.swept < time.Second {
		return
	}
	f.swept = now
	for k, s := range f.flows {
		if now-s.last > idleFlow {
			f.tally.add(s)
			delete(f.flows, k)
			t := trial{k.client.Addr(), k.server}
			f.tried[t] = slices.DeleteFunc(f.tried[t], func(o *state) bool { return o == s })
			if len(f.tried[t]) == 0 {
				delete(f.tried, t)
			}
		}
	}
}
