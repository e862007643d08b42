package http2

// Where the head of a frame is missing, nothing says where the next one begins. Heads are searched
// then: octets that could be one, at whose end is another, and so on.

const (
	// inARow is how many heads, one at the end of the other, are proof (measured: in 36,060 places
	// of recorded streams never wrong).
	inARow = 3
	// ahead is by how much the number of a stream may be above the highest known.
	ahead = 200
	// maxCandidates caps the rows that are followed at a time.
	maxCandidates = 16
)

// plausible reports whether h could be the head of a frame though nothing says so. highest is the
// highest stream known; 0: none is.
func (h *head) plausible(highest uint32) bool {
	switch {
	case h.length > leastFrameLimit || !h.fits() || h.flags&^h.kind.flagsOf() != 0:
		return false
	case h.kind > continuationFrame && h.kind != priorityUpdateFrame:
		return false
	case h.kind == dataFrame && h.length == 0 && !h.has(endStream):
		return false
	case h.stream == 0:
		return true
	}
	return h.stream%2 == 1 && (highest == 0 || h.stream <= highest+ahead)
}

// resumes reports whether data, which begins a segment, is a row of frames that shows HTTP/2: as
// many as are proof anywhere, or HEADERS among those that end where the segment does, or that are
// followed by DATA.
func resumes(data []byte) bool {
	r := rowOf(data, 0)
	return r.frames >= inARow || r.asked && (r.whole || r.data)
}

// goesOn reports the same where the connection is known to be HTTP/2: any frames that end where the
// segment does are enough.
func goesOn(data []byte, highest uint32) bool {
	r := rowOf(data, highest)
	return r.frames >= inARow || r.frames > 0 && r.whole || r.asked && r.data
}

// ofOpen reports whether data begins with the head of a frame with content of an open stream: by
// chance once in 2^40 times.
func ofOpen(data []byte, isOpen func(uint32) bool) bool {
	if len(data) < headSize {
		return false
	}
	h := parseHead(data)
	return h.length > 0 && (h.kind == dataFrame || h.kind == headersFrame) && isOpen(h.stream) &&
		h.plausible(h.stream)
}

// ends reports whether data begins with a row of frames that ends where data does, and is proof by
// that: two of them, or one of an open stream.
func ends(data []byte, highest uint32, isOpen func(uint32) bool) bool {
	r := rowOf(data, highest)
	return r.frames >= inARow || r.whole && (r.frames > 1 || ofOpen(data, isOpen))
}

// row is what a segment shows if its first octet is that of a frame.
type row struct {
	frames int
	asked  bool // HEADERS are among them
	data   bool // followed by DATA
	whole  bool // the last one ends where the segment does
}

// rowOf reads data as a row of frames, as far as proof needs it; none if one of them is not
// plausible.
func rowOf(data []byte, highest uint32) (r row) {
	for len(data) >= headSize && r.frames < inARow {
		h := parseHead(data)
		if !h.plausible(highest) {
			return row{}
		}
		highest = max(highest, h.stream)
		r.frames++
		r.data = r.data || r.asked && h.kind == dataFrame
		r.asked = r.asked || h.kind == headersFrame && h.length > 0
		size := headSize + int(h.length)
		if size >= len(data) {
			r.whole = size == len(data)
			break
		}
		data = data[size:]
	}
	return r
}

// candidate is a row of heads.
type candidate struct {
	next   int64 // the offset at which the next one must be
	count  int
	stream uint32 // the highest in it
}

// search looks for heads in a stream.
type search struct {
	tail       [headSize - 1]byte // the octets before the next one
	have       int                // how many there are
	candidates []candidate        // in no order
}

// lose begins a search.
func (p *search) lose() { p.have, p.candidates = 0, p.candidates[:0] }

// pass notes that octets have no content: what was begun before them is over.
func (p *search) pass() { p.have = 0 }

// look searches data, the octets at off, for a row of heads that is proof: for the first of them,
// if all of them are there, else for the last. It gives that head and how many octets of data lie
// before its end; 0 if there is none.
func (p *search) look(
	off int64, data []byte, highest uint32, isOpen func(uint32) bool,
) (h head, n int) {
	var joint [2*headSize - 2]byte
	kept := copy(joint[:], p.tail[:p.have])
	size := kept + copy(joint[kept:], data[:min(len(data), headSize-1)])
	for i := 0; i < kept && i+headSize <= size; i++ {
		if h, ok := p.at(off+int64(i-kept), joint[i:], highest); ok {
			return h, i - kept + headSize
		}
	}
	for i := 0; i+headSize <= len(data); i++ {
		if data[i] != 0 {
			continue // no frame is so long
		}
		if ends(data[i:], highest, isOpen) {
			return parseHead(data[i:]), i + headSize
		}
		if h, ok := p.at(off+int64(i), data[i:], highest); ok {
			return h, i + headSize
		}
	}
	p.remember(joint[:size], data)
	return head{}, 0
}

// remember keeps the end of what was looked at.
func (p *search) remember(joint, data []byte) {
	last := data
	if len(data) < headSize-1 {
		last = joint
	}
	last = last[max(len(last)-(headSize-1), 0):]
	p.have = copy(p.tail[:], last)
}

// at looks at the head that data, at off, begins with, and reports whether it is proof.
func (p *search) at(off int64, data []byte, highest uint32) (head, bool) {
	h := parseHead(data)
	row := candidate{stream: highest}
	kept := p.candidates[:0]
	for _, c := range p.candidates {
		switch {
		case c.next == off:
			if c.count > row.count {
				row = c
			}
		case c.next > off:
			kept = append(kept, c)
		}
	}
	p.candidates = kept
	if !h.plausible(row.stream) {
		return h, false
	}
	row.count++
	row.stream = max(row.stream, h.stream)
	row.next = off + headSize + int64(h.length)
	if row.count >= inARow {
		return h, true
	}
	if len(p.candidates) < maxCandidates {
		p.candidates = append(p.candidates, row)
	}
	return h, false
}
