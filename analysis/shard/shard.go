// Package shard analyses a capture in pieces that may lie on many machines, with the report of one
// process as the outcome. It is what a program needs that hands the pieces around, such as the one
// in cluster/: each step takes octets and gives octets, depends on nothing else, and may be done
// twice. There is no promise about it, beyond that its steps of one version fit each other.
//
//	Index   each recording: what tells which connections belong together
//	NewPlan all indexes: what has to be known of the whole capture
//	Read    each recording again: its segments, for shards
//	Follow  each shard: what its connections tell
//	Judge   all of that: the report
//
// A shard has whole connections, by their addresses and ports. Those that the followers must know
// together are in one shard: connections that a translation of addresses shows twice, those to
// addresses that were looked up, with the look-ups, those beside QUIC, and all that recordings show
// of which one shows copies of another's frames.
package shard

import (
	"bytes"
	"cmp"
	"context"
	"encoding/binary"
	"io"
	"net/netip"
	"slices"
	"time"

	"tcpwhy/analysis"
	"tcpwhy/analysis/internal/plain"
	"tcpwhy/analysis/report"
	"tcpwhy/capture"
	"tcpwhy/reassembly"
)

// blockOctets is how long a block is about: an engine takes about as long for an element, whatever
// its length, and a reader fills one for each shard.
const blockOctets = 128 << 10

// looksEvery is after how many segments a reader looks whether it is to end.
const looksEvery = 1 << 12

// index is what is known of a recording by itself.
type index struct {
	Input      int
	Bad        bool  // it is none, or cannot be opened
	First      int64 // its first frame, ns since the Unix epoch; 0: it has none
	Start, End int64 // the first frame that shows when it was, and the latest
	Gaps       []capture.Gap
	Interfaces []capture.Interface
	Copies     bool // of its own frames
	Conns      []seen
	SYNs       []syn
	Joins      [][2]uint64 // of keys
	Named      []uint64    // keys of addresses that were looked up
	Beside     []uint64    // keys of two hosts, with QUIC between them
	Secrets    []secret
}

// seen is a connection in a recording.
type seen struct {
	Key, Hosts  uint64
	Ends        [2]uint64 // keys of its addresses
	First, Last int64
}

// syn is a SYN that a translation of addresses may show again.
type syn struct{ Of, Conn uint64 }

// secret is a key log in a recording, and the latest time before the segment that follows.
type secret struct {
	Latest int64
	Log    []byte
}

// Kinds of keys.
const (
	keyConn = iota
	keyHosts
	keyAddress
	keyFile
)

// keyOf stands for some octets of a kind: equal ones have equal keys, and others seldom.
func keyOf(kind byte, octets []byte) uint64 {
	const offset, prime = 0xcbf29ce484222325, 0x100000001b3 // FNV-1a
	h := (offset ^ uint64(kind)) * prime
	for _, o := range octets {
		h = (h ^ uint64(o)) * prime
	}
	h ^= h >> 29 // spread for who takes a part of it
	return h * 0xbf58476d1ce4e5b9
}

// addressKey is the key of an address.
func addressKey(a netip.Addr) uint64 {
	octets := a.As16()
	return keyOf(keyAddress, octets[:])
}

// connOf are the keys of the connection of a segment, and of its two hosts.
func connOf(seg *capture.Segment) (conn, hosts uint64) {
	a, b := end(seg.Src), end(seg.Dst)
	if bytes.Compare(a[:], b[:]) > 0 {
		a, b = b, a
	}
	both := append(append(make([]byte, 0, 36), a[:]...), b[:]...)
	conn = keyOf(keyConn, both)
	copy(both[16:], b[:16])
	return conn, keyOf(keyHosts, both[:32])
}

func end(e netip.AddrPort) (octets [18]byte) {
	a := e.Addr().As16()
	copy(octets[:], a[:])
	binary.BigEndian.PutUint16(octets[16:], e.Port())
	return octets
}

// asks is who asks in a message of DNS.
func asks(seg *capture.Segment) netip.Addr {
	if seg.Dst.Port() == reassembly.NamesPort {
		return seg.Src.Addr()
	}
	return seg.Dst.Addr()
}

// aboutNames reports whether a segment may be a message of DNS.
func aboutNames(seg *capture.Segment) bool {
	return seg.Src.Port() == reassembly.NamesPort || seg.Dst.Port() == reassembly.NamesPort
}

// Index reads a recording, the capture's input of the given number from 0, and says what has to be
// known of it. One that is no capture, or cannot be opened, is noted as such. The filter, if there
// is one, is that of all steps.
func Index(
	ctx context.Context, r capture.Recording, input int, filter *capture.Filter,
) ([]byte, error) {
	x := &index{Input: input}
	from, err := capture.OpenApart(r, input, filter, time.Time{})
	if err != nil {
		x.Bad = true
		return plain.Append(nil, x)
	}
	defer from.Close()
	known := map[uint64]int{}
	for n := 0; ; n++ {
		if n%looksEvery == 0 && ctx.Err() != nil {
			return nil, ctx.Err()
		}
		s, err := from.Next()
		st := from.Stats()
		latest := st.Start.UnixNano() + int64(st.End)
		if err == nil {
			latest = st.Start.UnixNano() + int64(s.Latest)
		}
		for _, log := range st.Secrets[len(x.Secrets):] {
			x.Secrets = append(x.Secrets, secret{latest, log})
		}
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, err
		}
		x.add(known, &s.Segment, latest)
	}
	st := from.Stats()
	x.Interfaces, x.Copies, x.First = st.Interfaces, from.Copies() > 0, st.Inputs[0].First
	if !st.Start.IsZero() {
		x.Start, x.End, x.Gaps = st.Start.UnixNano(), st.Start.UnixNano()+int64(st.End), st.Gaps
	}
	return plain.Append(nil, x)
}

// add takes in a segment.
func (x *index) add(known map[uint64]int, seg *capture.Segment, latest int64) {
	conn, hosts := connOf(seg)
	if aboutNames(seg) {
		x.names(conn, seg)
	}
	if seg.Kind == capture.Datagram {
		if !aboutNames(seg) {
			x.Beside = appendNew(x.Beside, hosts)
		}
		return
	}
	at, is := known[conn]
	if !is {
		at = len(x.Conns)
		known[conn] = at
		ends := [2]uint64{addressKey(seg.Src.Addr()), addressKey(seg.Dst.Addr())}
		x.Conns = append(x.Conns, seen{conn, hosts, ends, latest, latest})
	}
	x.Conns[at].Last = latest
	if of, tells := reassembly.SYNKey(seg); tells && seg.Kind == capture.TCP {
		x.SYNs = append(x.SYNs, syn{of, conn})
	}
}

// names notes who asked, and what was found.
func (x *index) names(conn uint64, seg *capture.Segment) {
	client := addressKey(asks(seg))
	if seg.Kind != capture.Datagram {
		x.Joins = append(x.Joins, [2]uint64{conn, client})
	}
	for _, a := range reassembly.FoundNames(seg) {
		found := addressKey(a)
		x.Named = appendNew(x.Named, found)
		x.Joins = append(x.Joins, [2]uint64{client, found})
	}
}

// appendNew appends a key unless it is the latest.
func appendNew(all []uint64, key uint64) []uint64 {
	if n := len(all); n > 0 && all[n-1] == key {
		return all
	}
	return append(all, key)
}

// Read reads a recording again, and gives its segments in blocks, each for one shard, and at the
// end what became of its frames.
func (p *Plan) Read(
	ctx context.Context, r capture.Recording, input int, filter *capture.Filter,
	emit func(shard int, block []byte) error,
) (account []byte, err error) {
	if input >= len(p.known.Ends) {
		return nil, ErrPlan
	}
	from, err := capture.OpenApart(r, input, filter, p.known.Start)
	if err != nil {
		return plain.Append(nil, &accountOf{input, *capture.Unread(r.Name(), err)})
	}
	defer from.Close()
	out := make([]writer, p.shards)
	for n := 0; ; n++ {
		if n%looksEvery == 0 && ctx.Err() != nil {
			return nil, ctx.Err()
		}
		s, err := from.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, err
		}
		shard := p.shardOf(&s.Segment)
		if err := out[shard].add(input, s, shard, emit); err != nil {
			return nil, err
		}
	}
	for shard := range out {
		if err := out[shard].flush(shard, emit); err != nil {
			return nil, err
		}
	}
	account, err = plain.Append(nil, &accountOf{input, *from.Account()})
	return account, err
}

// accountOf is the account of an input.
type accountOf struct {
	Input   int
	Account capture.Account
}

// writer fills blocks for a shard. A block begins with its input and its number there.
type writer struct {
	block  []byte
	number uint64
}

func (w *writer) add(
	input int, s *capture.Sighting, shard int, emit func(int, []byte) error,
) error {
	if len(w.block) == 0 {
		w.block = binary.AppendUvarint(nil, uint64(input))
		w.block = binary.AppendUvarint(w.block, w.number)
	}
	w.block = s.Append(w.block)
	if len(w.block) < blockOctets {
		return nil
	}
	return w.flush(shard, emit)
}

func (w *writer) flush(shard int, emit func(int, []byte) error) error {
	if len(w.block) == 0 {
		return nil
	}
	block := w.block
	w.block, w.number = nil, w.number+1
	return emit(shard, block)
}

// followedOf is what the connections of a shard tell.
type followedOf struct {
	Shard  int
	Octets []byte
}

// Follow follows the connections of a shard, of which it is given all blocks, in any order; one
// that comes twice counts once. The options are those of all steps.
func (p *Plan) Follow(
	ctx context.Context, shard int, blocks [][]byte, opts ...analysis.Option,
) ([]byte, error) {
	m, err := newMerge(blocks)
	if err != nil {
		return nil, err
	}
	src := capture.NewTogether(m.next, &p.known)
	f, err := analysis.Follow(ctx, src, opts...)
	if err != nil {
		return nil, err
	}
	octets, err := f.AppendBinary(nil)
	if err != nil {
		return nil, err
	}
	return plain.Append(nil, &followedOf{shard, octets})
}

// Judge makes the report of what became of the frames of all recordings, and of what the
// connections of all shards tell, in any order; what comes twice counts once.
func (p *Plan) Judge(
	accounts, followed [][]byte, opts ...analysis.Option,
) (*report.Report, error) {
	byInput := make([]*capture.Account, len(p.known.Ends))
	for _, octets := range accounts {
		var a accountOf
		if err := read(octets, &a); err != nil || a.Input >= len(byInput) || a.Input < 0 {
			return nil, ErrPlan
		}
		byInput[a.Input] = &a.Account
	}
	if slices.Contains(byInput, nil) {
		return nil, ErrPlan
	}
	byShard := map[int]*analysis.Followed{}
	for _, octets := range followed {
		var of followedOf
		if err := read(octets, &of); err != nil {
			return nil, err
		}
		if byShard[of.Shard] != nil {
			continue
		}
		f := &analysis.Followed{}
		if err := f.UnmarshalBinary(of.Octets); err != nil {
			return nil, err
		}
		byShard[of.Shard] = f
	}
	st := capture.Whole(byInput)
	st.Interfaces = p.known.Interfaces
	var all []*analysis.Followed
	var parts []*capture.Stats
	for _, shard := range sortedShards(byShard) {
		all = append(all, byShard[shard])
		parts = append(parts, byShard[shard].Stats())
	}
	st.Settle(parts)
	return analysis.Judge(st, all, opts...)
}

// sortedShards are the shards of which something is known, in order.
func sortedShards(of map[int]*analysis.Followed) (all []int) {
	for shard := range of {
		all = append(all, shard)
	}
	slices.Sort(all)
	return all
}

// read reads one value that stands alone.
func read(octets []byte, v any) error {
	rest, err := plain.Read(octets, v)
	if err != nil || len(rest) > 0 {
		return ErrPlan
	}
	return nil
}

// compareOrder puts sightings into the order of the capture.
func compareOrder(a, b *capture.Sighting) int {
	return cmp.Or(cmp.Compare(a.Latest, b.Latest), cmp.Compare(a.Frame.Input(), b.Frame.Input()))
}
