package tlsrecord

import (
	"tcpwhy/reassembly/exchange"
	"tcpwhy/reassembly/internal/tlscrypt"
)

// opener opens the records of one direction, and counts them.
type opener struct {
	stage  stage
	keys   *tlscrypt.Keys // of the stage; nil: none has opened a record yet
	number uint64         // of the next record under them
	// octets since the last record that could be counted: how many records they held is not known
	lost    int64
	misses  int   // records since the last one that was opened
	records int64 // that were opened, and the octets of their fragments
	octets  int64
	// octets of content that were lost before the record in hand and have not been told of yet, and
	// of the records with them
	skipped, skippedRecords int64
}

// part is a stretch of a fragment, and how it came, or that the capture lacks it.
type part struct {
	from, to int // octets of the fragment
	missing  bool
	arrival  exchange.Arrival
}

// record is one that is complete, or as complete as it will be.
type record struct {
	head, fragment []byte
	arrival        exchange.Arrival // of the whole
	parts          []part           // if some of it is missing; otherwise none
}

// enter begins a stage: the keys of the one before are of no more use.
func (o *opener) enter(at stage) {
	o.stage, o.keys, o.number, o.misses, o.lost = at, nil, 0, 0, 0
}

// enterUnseen does so where what tells of it was not seen: nor, perhaps, the first records behind
// it.
func (o *opener) enterUnseen(at stage) {
	o.enter(at)
	o.lost = leastRecord
}

// use settles for keys that have opened record n.
func (o *opener) use(k *tlscrypt.Keys, n uint64, at stage) {
	o.keys, o.stage, o.number = k, at, n+1
	o.lost, o.misses = 0, 0
}

// open opens a record of s, whose keys and number it finds where they are not known. room has no
// octets, and room for as many as a record has.
func (t *reader) open(s *side, r *record, room []byte) ([]byte, tlscrypt.ContentType, bool) {
	o := &s.opener
	if o.misses >= maxMisses {
		o.number++
		return nil, 0, false
	}
	content, kind, ok := t.expected(s, r, room)
	if !ok && o.lost > 0 {
		content, kind, ok = t.search(s, r, room)
	}
	if !ok {
		content, kind, ok = t.otherStage(s, r, room)
	}
	if o.keys != nil {
		o.keys.Follow(r.fragment)
	}
	if !ok {
		o.miss()
		return nil, 0, false
	}
	o.records++
	o.octets += int64(len(r.fragment))
	return content, kind, true
}

// miss counts a record that was not opened. The server may have to pass over many of a client whose
// early data it does not want.
func (o *opener) miss() {
	o.number++
	if o.stage != early {
		o.misses++
	}
}

// expected opens a record that follows the one before it.
func (t *reader) expected(s *side, r *record, room []byte) ([]byte, tlscrypt.ContentType, bool) {
	o := &s.opener
	if o.keys == nil {
		return t.first(s, r, room, o.stage)
	}
	content, kind, ok := o.keys.Open(room, o.number, r.head, r.fragment)
	if ok {
		o.use(o.keys, o.number, o.stage)
	}
	return content, kind, ok
}

// first opens the first record of a stage.
func (t *reader) first(s *side, r *record, room []byte, at stage) (
	[]byte, tlscrypt.ContentType, bool,
) {
	for k := range t.keys(s.dir, at) {
		content, kind, ok := k.Open(room, 0, r.head, r.fragment)
		if ok {
			s.opener.use(k, 0, at)
			t.session.master = t.attempt
			return content, kind, true
		}
	}
	return nil, 0, false
}

// otherStage opens a record that is of another stage than was thought, as its first one: where
// secrets of the one before are not known, or its last records were not seen, or the server would
// have none of the early data.
func (t *reader) otherStage(s *side, r *record, room []byte) (
	content []byte, kind tlscrypt.ContentType, ok bool,
) {
	o := &s.opener
	if !t.session.modern() {
		return nil, 0, false
	}
	for at := o.stage + 1; at <= application && !ok; at++ {
		content, kind, ok = t.first(s, r, room, at)
	}
	if !ok && o.keys != nil && o.lost > 0 && o.stage == application {
		next := o.keys.Next() // its KeyUpdate was not seen
		if content, kind, ok = next.Open(room, 0, r.head, r.fragment); ok {
			o.use(next, 0, application)
		}
	}
	return content, kind, ok
}
