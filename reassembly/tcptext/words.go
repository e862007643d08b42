package tcptext

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"tcpwhy/capture"
)

// keywords may follow two blanks without beginning a comment.
var keywords = [...]string{
	"ack",
	"win",
	"ttl",
	"id",
	"iface",
	"snap",
	"badsum",
	"out",
	"in",
	"mtu",
	"from",
	"isn",
}

// split cuts a line into words. A string and a list of options in angle brackets are one word each.
func split(s string) ([]string, error) {
	var words []string
	for {
		rest := strings.TrimLeft(s, " \t")
		gap := len(s) - len(rest)
		s = rest
		if s == "" || s[0] == '#' || strings.HasPrefix(s, "//") {
			return words, nil
		}
		n, err := wordEnd(s, len(words))
		if err != nil {
			return nil, err
		}
		if word := s[:n]; len(words) > 3 && gap > 1 && isLetter(s[0]) &&
			!slices.Contains(keywords[:], word) &&
			!strings.Contains(word, "*") {
			return words, nil
		}
		words = append(words, s[:n])
		s = s[n:]
	}
}

func isLetter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }

// wordEnd is the length of the first word of s. The direction < is a word of its own.
func wordEnd(s string, before int) (int, error) {
	switch {
	case s[0] == '"':
		q, err := strconv.QuotedPrefix(s)
		if err != nil {
			return 0, fmt.Errorf("string is not closed")
		}
		return len(q), nil
	case s[0] == '<' && before > 1:
		if i := strings.IndexByte(s, '>'); i > 0 {
			return i + 1, nil
		}
		return 0, fmt.Errorf("options are not closed")
	}
	if i := strings.IndexAny(s, " \t"); i > 0 {
		return i, nil
	}
	return len(s), nil
}

// line is one segment in the making.
type line struct {
	seg      *capture.Segment
	from, to *host
	length   int // of data, -1 if not given
	snap     int // octets that the capture kept, -1: all
	content  []byte
}

// flagLetters are the letters of the flags in the order of their bits.
const flagLetters = "FSRP.UEW"

// flags is the word of flag letters, "-" for none, or icmp:TYPE/CODE.
func (l *line) flags(word string) error {
	if rest, ok := strings.CutPrefix(word, "icmp:"); ok {
		l.seg.Kind = capture.ICMPError
		l.seg.ICMP.V6 = l.from.addr.Addr().Is6()
		_, err := fmt.Sscanf(rest, "%d/%d", &l.seg.ICMP.Type, &l.seg.ICMP.Code)
		return err
	}
	if word == "-" {
		return nil
	}
	for _, c := range word {
		i := strings.IndexRune(flagLetters, c)
		if i < 0 {
			return fmt.Errorf("unknown flag %q", c)
		}
		l.seg.Flags |= 1 << i
	}
	return nil
}

// rest is everything after the flags.
func (l *line) rest(words []string) error {
	if len(words) == 0 {
		return fmt.Errorf("the sequence number is missing")
	}
	if err := l.numbers(words[0]); err != nil {
		return err
	}
	for i := 1; i < len(words); i++ {
		used, err := l.word(words[i:])
		if err != nil {
			return err
		}
		i += used
	}
	return l.fill()
}

// numbers is SEQ or SEQ:END(LEN).
func (l *line) numbers(word string) error {
	var seq, end int64
	if strings.Contains(word, ":") {
		if _, err := fmt.Sscanf(word, "%d:%d(%d)", &seq, &end, &l.length); err != nil {
			return fmt.Errorf("%q is not SEQ:END(LEN)", word)
		}
		if end-seq != int64(l.length) || l.length > maxPayload || l.length < 0 {
			return fmt.Errorf("%q: the length does not fit", word)
		}
	} else if _, err := fmt.Sscanf(word, "%d", &seq); err != nil {
		return fmt.Errorf("%q is no sequence number", word)
	}
	l.seg.Seq = l.from.isn + uint32(seq)
	return nil
}

// word takes the first of words and tells how many more it used.
func (l *line) word(words []string) (int, error) {
	w := words[0]
	switch {
	case w == "badsum":
		l.seg.Options |= capture.BadChecksum
		return 0, nil
	case w == "out":
		l.seg.Options |= capture.Outgoing
		return 0, nil
	case w == "in":
		l.seg.Options |= capture.Incoming
		return 0, nil
	case w[0] == '"':
		s, err := strconv.Unquote(w)
		l.content = []byte(s)
		return 0, err
	case w[0] == '<':
		return 0, l.options(strings.Trim(w, "<>"))
	case len(w) > 2 && w[1] == '*':
		n, err := strconv.Atoi(w[2:])
		if err != nil || n < 0 || n > maxPayload {
			return 0, fmt.Errorf("%q is no filler", w)
		}
		l.content = []byte(strings.Repeat(w[:1], n))
		return 0, nil
	case len(words) < 2:
		return 0, fmt.Errorf("unknown word %q", w)
	}
	return 1, l.pair(w, words[1])
}

// pair is a word with a value.
func (l *line) pair(name, value string) error {
	if name == "from" {
		addr, err := netip.ParseAddr(value)
		l.seg.ICMP.From = addr
		return err
	}
	n, err := strconv.ParseInt(value, 10, 64)
	if err != nil {
		return fmt.Errorf("%s %q: no number", name, value)
	}
	switch name {
	case "ack":
		l.seg.Ack = l.to.isn + uint32(n)
	case "win":
		l.seg.Window = uint16(n)
	case "ttl":
		l.seg.TTL = uint8(n)
	case "id":
		l.seg.IPID = uint16(n)
		l.seg.Options |= capture.HasIPID
	case "iface":
		l.seg.Iface = uint32(n)
	case "snap":
		l.snap = int(max(0, n))
	case "mtu":
		l.seg.ICMP.MTU = uint32(n)
	default:
		return fmt.Errorf("unknown word %q", name)
	}
	return nil
}

// options are separated by commas, in tcpdump's words.
func (l *line) options(list string) error {
	for _, o := range strings.Split(list, ",") {
		f := strings.Fields(o)
		if len(f) == 0 {
			continue
		}
		if err := l.option(f); err != nil {
			return fmt.Errorf("option %q: %w", o, err)
		}
	}
	return nil
}

func (l *line) option(f []string) error {
	seg := l.seg
	var n []int64
	for _, w := range f[1:] {
		for _, part := range strings.Split(w, ":") {
			if v, err := strconv.ParseInt(part, 10, 64); err == nil {
				n = append(n, v)
			}
		}
	}
	switch {
	case f[0] == "nop" || f[0] == "eol":
	case f[0] == "sackOK":
		seg.Options |= capture.HasSACKPerm
	case f[0] == "mss" && len(n) == 1:
		seg.MSS = uint16(n[0])
		seg.Options |= capture.HasMSS
	case f[0] == "wscale" && len(n) == 1:
		seg.WScale = uint8(n[0])
		seg.Options |= capture.HasWScale
	case f[0] == "TS" && len(n) == 2:
		seg.TSVal, seg.TSEcr = uint32(n[0]), uint32(n[1])
		seg.Options |= capture.HasTS
	case f[0] == "sack" && len(n) > 0 && len(n)%2 == 0 && int(seg.NSACK)+len(n)/2 <= len(seg.SACK):
		for i := 0; i < len(n); i += 2 {
			seg.SACK[seg.NSACK] = capture.SACKBlock{
				Start: l.to.isn + uint32(n[i]),
				End:   l.to.isn + uint32(n[i+1]),
			}
			seg.NSACK++
		}
	default:
		return fmt.Errorf("not understood")
	}
	return nil
}

// fill makes length and content agree, and cuts what the capture cut.
func (l *line) fill() error {
	switch {
	case l.length < 0:
		l.length = len(l.content)
	case l.content == nil:
		l.content = []byte(strings.Repeat("x", l.length))
	case len(l.content) != l.length:
		return fmt.Errorf("%d octets of content, but a length of %d", len(l.content), l.length)
	}
	l.seg.Len = uint32(l.length)
	l.seg.Payload = l.content
	if l.snap >= 0 && l.snap < l.length {
		l.seg.Payload = l.content[:l.snap]
		l.seg.Options |= capture.Snapped
	}
	return nil
}
