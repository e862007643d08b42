package pcapio

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"strings"
	"unicode/utf8"
)

// sniffLength is how much of a file is looked at to say what it is if it is no capture.
const sniffLength = 512

// signature is how files of a kind start.
type signature struct {
	at    int
	magic string
	kind  string
}

const unsupported = " capture, a format that is not supported " +
	"(convert it: editcap -F pcapng IN OUT)"

// signatures lists what users hand over by mistake, and captures in other formats.
func signatures() []signature {
	return []signature{
		{0, "RTSS", "a Network Monitor 1" + unsupported},
		{0, "GMBU", "a Network Monitor 2" + unsupported},
		{0, "TRSNIFF data    \x1a", "a Sniffer" + unsupported},
		{0, "XCP\x00", "a NetXRay" + unsupported},
		{0, "\x7fver", "an OmniPeek" + unsupported},
		{0, "\x1c\x00\x01\xac", "an IXIA" + unsupported},
		{0, "\xac\x01\x00\x1c", "an IXIA" + unsupported},
		{0, "btsnoop\x00", "a Bluetooth btsnoop" + unsupported},
		{0, "\x0a\x0d\x0d\x0a", "the start of a pcapng section, cut or damaged"},
		{0, "\x7fELF", "an ELF program"},
		{0, "PK\x03\x04", "a zip archive; unpack it first"},
		{0, "7z\xbc\xaf\x27\x1c", "a 7z archive; unpack it first"},
		{0, "Rar!", "a rar archive; unpack it first"},
		{0, "BZh", "bzip2; unpack it first"},
		{257, "ustar", "a tar archive; unpack it first"},
		{0, "%PDF-", "a PDF document"},
		{0, "\x89PNG", "a PNG image"},
		{0, "\x89tcpwhy part", "a part of an analysis; tcpwhy merge makes a report of parts"},
		{0, "SQLite format 3\x00", "an SQLite database"},
	}
}

// describe says in a few words what a file is that is no capture, from its first octets.
func describe(head []byte) string {
	if len(head) == 0 {
		return "an empty file"
	}
	for _, s := range signatures() {
		if len(head) >= s.at && bytes.HasPrefix(head[s.at:], []byte(s.magic)) {
			return s.kind
		}
	}
	switch {
	case isText(head):
		return describeText(string(head))
	case isERF(head):
		return "what looks like an ERF" + unsupported
	}
	return fmt.Sprintf("unknown binary data that starts with % x", head[:min(len(head), 8)])
}

// isText reports whether the octets are UTF-8 without control characters. The last character may be
// cut.
func isText(head []byte) bool {
	for i := 0; i < len(head); {
		r, size := utf8.DecodeRune(head[i:])
		if r == utf8.RuneError && size == 1 &&
			(len(head) < sniffLength || len(head)-i >= utf8.UTFMax) {
			return false
		}
		if r < ' ' && r != '\n' && r != '\r' && r != '\t' || r == 0x7f {
			return false
		}
		i += size
	}
	return true
}

// describeText tells kinds of text apart.
func describeText(text string) string {
	text = strings.TrimSpace(strings.TrimPrefix(text, "\ufeff"))
	lower := strings.ToLower(text)
	switch {
	case text == "":
		return "a file of white space"
	case strings.HasPrefix(lower, "<!doctype html"), strings.HasPrefix(lower, "<html"):
		return "HTML"
	case strings.HasPrefix(lower, "<"):
		return "XML"
	case strings.HasPrefix(strings.Join(strings.Fields(text), ""), `{"log":{`):
		return "HAR, the log of a browser and not a packet capture"
	case strings.HasPrefix(text, "{"), strings.HasPrefix(text, "["):
		return "JSON"
	}
	return "text" // and not what it says: that may be a password
}

// isERF reports whether the first record could be one of Endace's extensible record format: it has
// no magic number, but a type octet (2 is Ethernet, 22 and 23 are IP), a record length and a length
// on the wire that agree.
func isERF(head []byte) bool {
	if len(head) < 18 {
		return false
	}
	kind := head[8] & 0x7f
	record := int(binary.BigEndian.Uint16(head[10:]))
	wire := int(binary.BigEndian.Uint16(head[14:]))
	return (kind == 2 || kind == 22 || kind == 23) && record >= 18 && wire > 0 && record <= wire+64
}
