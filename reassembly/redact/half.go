package redact

import "slices"

// half is one direction of a connection, of which a reader is given the octets in order.
type half struct {
	plan    *Plan
	number  uint32 // of its flow
	begun   bool
	next    uint32 // sequence number of the octet that the reader waits for
	waiting []held
	octets  int // that wait
	reader  reader
}

// held is a segment that came before what is missing in front of it. cut octets more were not
// captured.
type held struct {
	seq  uint32
	data []byte
	cut  int
}

// begin sets where the direction begins.
func (h *half) begin(seq uint32) {
	if !h.begun {
		h.begun, h.next = true, seq
	}
}

// take takes data of a segment, behind which cut octets were not captured.
func (h *half) take(seq uint32, data []byte, cut int) {
	if len(data) == 0 && cut <= 0 {
		return
	}
	h.begin(seq)
	if ahead := int32(seq - h.next); ahead > 0 {
		h.hold(seq, data, cut)
		return
	}
	h.read(seq, data, cut)
	h.release()
}

// read reads what is new of data that begins at or before the next octet.
func (h *half) read(seq uint32, data []byte, cut int) {
	old := int(h.next - seq)
	if old < len(data) {
		h.reader.read(h.next, data[old:])
		h.next += uint32(len(data) - old)
		old = len(data)
	}
	if lost := len(data) + cut - old; lost > 0 {
		h.lose(lost)
	}
}

// lose passes over octets that were not captured.
func (h *half) lose(n int) {
	h.reader.lose(n)
	h.next += uint32(n)
}

// hold keeps data until what is missing before it has come.
func (h *half) hold(seq uint32, data []byte, cut int) {
	for h.octets+len(data) > maxHeld && len(h.waiting) > 0 {
		h.skip()
	}
	if int32(seq-h.next) <= 0 {
		h.take(seq, data, cut)
		return
	}
	if h.plan.held+len(data) > maxAll {
		return // what is not read is not shown
	}
	at, _ := slices.BinarySearchFunc(h.waiting, seq, func(a held, seq uint32) int {
		return int(int32(a.seq - seq))
	})
	h.waiting = slices.Insert(h.waiting, at, held{seq, slices.Clone(data), cut})
	h.octets += len(data)
	h.plan.held += len(data)
}

// release reads what waited for what has come.
func (h *half) release() {
	for len(h.waiting) > 0 && int32(h.waiting[0].seq-h.next) <= 0 {
		first := h.waiting[0]
		h.waiting = h.waiting[1:]
		h.octets -= len(first.data)
		h.plan.held -= len(first.data)
		h.read(first.seq, first.data, first.cut)
	}
}

// skip gives up what is missing before the first that waits.
func (h *half) skip() {
	if gap := int32(h.waiting[0].seq - h.next); gap > 0 {
		h.lose(int(gap))
	}
	h.release()
}

// acknowledged tells that the peer has everything up to a sequence number: what of it has not been
// captured will not come.
func (h *half) acknowledged(ack uint32) {
	for len(h.waiting) > 0 && int32(ack-h.waiting[0].seq) > 0 {
		h.skip()
	}
}

// finish ends the direction.
func (h *half) finish() {
	for len(h.waiting) > 0 {
		h.skip()
	}
	h.reader.end()
}

// show notes octets to be shown.
func (h *half) show(seq uint32, octets []byte) { h.plan.keep(h.number, seq, octets) }
