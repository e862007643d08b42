package tlsrecord

import (
	"iter"

	"tcpwhy/reassembly/internal/tlscrypt"
)

const (
	// maxSearch caps how many numbers are tried for a record behind a place where others may be
	// missing.
	maxSearch = 4096
	// A record has as many octets as this at least: a head, one octet and a tag; and at most so
	// many more than its content may have (RFC 8446 §5.2).
	leastRecord = recordHeader + 1 + 16
	mostRecord  = recordHeader + 1<<14 + 256
	// maxMisses is after how many records in a row that cannot be opened nothing more is tried.
	maxMisses = 16
)

// search opens a record behind octets that held an unknown number of others: of the stage, or of
// one that began in the meantime.
func (t *reader) search(s *side, r *record, room []byte) (
	[]byte, tlscrypt.ContentType, bool,
) {
	o := &s.opener
	for at := o.stage; at <= application; at++ {
		from, candidates := uint64(0), t.keys(s.dir, at)
		if at == o.stage {
			from = o.number
			if o.keys != nil {
				candidates = func(yield func(*tlscrypt.Keys) bool) { yield(o.keys) }
			}
		}
		for k := range candidates {
			for n := range numbers(o.lost, o.meanRecord(), at > o.stage) {
				if !k.Plausible(from+n, r.fragment) {
					continue
				}
				content, kind, ok := k.Open(room, from+n, r.head, r.fragment)
				if ok {
					t.found(s, k, from+n, at, n)
					return content, kind, true
				}
			}
		}
		if !t.session.modern() {
			break
		}
	}
	return nil, 0, false
}

// found settles for keys and the number of a record, behind n others that were lost.
func (t *reader) found(s *side, k *tlscrypt.Keys, number uint64, at stage, n uint64) {
	o := &s.opener
	// Up to TLS 1.2 what was lost before any record was opened held the handshake's end.
	if o.stage == application && (o.keys != nil || t.session.modern()) {
		o.skippedRecords += o.lost
		o.skipped += max(1, o.lost-int64(n)*int64(recordHeader+k.Overhead()))
	}
	o.use(k, number, at)
	t.session.master = t.attempt
}

// meanRecord is how many octets a record of the direction has had so far.
func (o *opener) meanRecord() int64 {
	if o.records == 0 {
		return mostRecord
	}
	return recordHeader + o.octets/o.records
}

// numbers are how many records lost octets may have held, the likeliest first: as many as there
// were if they had mean octets each, then more and fewer by turns. some says that a part of them
// may have been others.
func numbers(lost, mean int64, some bool) iter.Seq[uint64] {
	least, most := (lost+mostRecord-1)/mostRecord, lost/leastRecord+1
	if some {
		least = 0
	}
	guess := min(max(lost/mean, least), most)
	return func(yield func(uint64) bool) {
		tries := 0
		try := func(n int64) bool {
			if n < least || n > most {
				return true
			}
			tries++
			return tries <= maxSearch && yield(uint64(n))
		}
		if !try(guess) {
			return
		}
		for step := int64(1); guess-step >= least || guess+step <= most; step++ {
			if !try(guess+step) || !try(guess-step) {
				return
			}
		}
	}
}
