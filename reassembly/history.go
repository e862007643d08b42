package reassembly

import "tcpwhy/capture"

// history writes a connection's course in Zeek's letters: s SYN, h SYN-ACK, a acknowledgment, d
// data, f FIN, r RST, c bad checksum, g gap, t retransmitted data, w zero window, i FIN with RST, q
// SYN with FIN or RST, ^ turned round. Upper case is the client. a, d, i and q come once for each
// side, f, h, r and s again with another sequence number, c, g, t and w at the 1st, 10th, 100th
// time.
type history struct {
	letters [maxHistory]byte
	n       uint8
	once    [2]uint8     // bits of onceLetters that were written
	seq     [2][4]uint32 // of the latest f, h, r, s
	has     [2]uint8     // which of them are valid
	count   [2][4]uint32 // of c, g, t, w
}

// maxHistory caps the letters; Zeek's own histories of real connections rarely exceed 20.
const maxHistory = 40

const (
	onceLetters    = "adiq"
	changedLetters = "fhrs"
	countedLetters = "cgtw"
)

func (y *history) put(dir Dir, letter byte) {
	if int(y.n) == len(y.letters) {
		return
	}
	if dir == FromClient {
		letter -= 'a' - 'A'
	}
	y.letters[y.n] = letter
	y.n++
}

// oncePer writes onceLetters[i] the first time.
func (y *history) oncePer(dir Dir, i int) {
	if y.once[dir]&(1<<i) == 0 {
		y.once[dir] |= 1 << i
		y.put(dir, onceLetters[i])
	}
}

// changed writes changedLetters[i] if its sequence number is new.
func (y *history) changed(dir Dir, i int, seq uint32) {
	if y.has[dir]&(1<<i) != 0 && y.seq[dir][i] == seq {
		return
	}
	y.has[dir] |= 1 << i
	y.seq[dir][i] = seq
	y.put(dir, changedLetters[i])
}

// counted writes countedLetters[i] at powers of ten.
func (y *history) counted(dir Dir, i int) {
	y.count[dir][i]++
	n := y.count[dir][i]
	for n > 9 && n%10 == 0 {
		n /= 10
	}
	if n == 1 {
		y.put(dir, countedLetters[i])
	}
}

func (y *history) gap(dir Dir) { y.counted(dir, 1) }

// segment adds what one segment shows, in Zeek's order.
func (y *history) segment(dir Dir, seg *capture.Segment, r *Record) {
	f := seg.Flags
	if seg.Options.Has(capture.BadChecksum) {
		y.counted(dir, 0)
	}
	if r.Kind.Retransmitted() && r.Len > 0 {
		y.counted(dir, 2)
	}
	switch multi := f & (capture.SYN | capture.FIN | capture.RST); multi {
	case capture.SYN:
		y.changed(dir, synLetter(f.Has(capture.ACK)), seg.Seq)
	case capture.FIN:
		y.changed(dir, 0, seg.Seq+seg.Len)
	case capture.RST:
		y.changed(dir, 2, seg.Seq)
	case capture.FIN | capture.RST:
		y.oncePer(dir, 2)
	case 0:
	default:
		y.oncePer(dir, 3)
	}
	if r.Len > 0 {
		y.oncePer(dir, 1)
	} else if f&(capture.SYN|capture.FIN|capture.RST|capture.ACK) == capture.ACK {
		y.oncePer(dir, 0)
	}
	if seg.Window == 0 && f&(capture.SYN|capture.FIN|capture.RST) == 0 {
		y.counted(dir, 3)
	}
}

// synLetter is the index in changedLetters of a SYN-ACK or a SYN.
func synLetter(ack bool) int {
	if ack {
		return 1
	}
	return 3
}

// flip turns the sides round, before either has said anything that orients the connection.
func (y *history) flip() {
	for i := range y.letters[:y.n] {
		if y.letters[i] != '^' {
			y.letters[i] ^= 'a' - 'A'
		}
	}
	y.once[0], y.once[1] = y.once[1], y.once[0]
	y.seq[0], y.seq[1] = y.seq[1], y.seq[0]
	y.has[0], y.has[1] = y.has[1], y.has[0]
	y.count[0], y.count[1] = y.count[1], y.count[0]
	if int(y.n) < len(y.letters) {
		y.letters[y.n] = '^'
		y.n++
	}
}

func (y *history) String() string { return string(y.letters[:y.n]) }
