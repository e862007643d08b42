package capture

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"tcpwhy/capture/segment"
)

func TestOpenNoCapture(t *testing.T) {
	erf := "\x01\x02\x03\x04\x05\x06\x07\x08\x02\x04\x00\x52\x00\x00\x00\x40\x00\x00" + strings.Repeat("\x00", 64)
	tests := []struct {
		name, content, want string
	}{
		{"empty", "", "not a capture but an empty file"},
		{"text", "Hello there,\nthis is text", `not a capture but text`},
		{"long line", strings.Repeat("äöü ", 300), `not a capture but text`},
		{"white space", " \n\t\n", "not a capture but a file of white space"},
		{"HTML", "<!DOCTYPE html>\n<title>404</title>", "not a capture but HTML"},
		{"XML", `<?xml version="1.0"?><pdml>`, "not a capture but XML"},
		{"HAR", "{\n  \"log\": {\"version\": \"1.2\"", "not a capture but HAR, the log of a browser and not a packet capture"},
		{"JSON log", `{"log": "started", "level": 3}`, "not a capture but JSON"},
		{"JSON", `[{"_index": "packets"}]`, "not a capture but JSON"},
		{"ELF", "\x7fELF\x02\x01\x01\x00", "not a capture but an ELF program"},
		{"zip", "PK\x03\x04\x14\x00", "not a capture but a zip archive; unpack it first"},
		{"snoop", "snoop\x00\x00\x00\x00\x00\x00\x03", "header of the file: 12 of 16 octets"},
		{"NetMon", "GMBU\x00\x02\x01\x00", "not a capture but a Network Monitor 2 capture"},
		{"ERF", erf, "not a capture but what looks like an ERF capture"},
		{"tar", "name" + strings.Repeat("\x00", 253) + "ustar  \x00", "not a capture but a tar archive; unpack it first"},
		{"binary", "\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09", "not a capture but unknown binary data that starts with 00 01 02 03 04 05 06 07"},
		{"two octets", "\xd4\xc3", "not a capture but unknown binary data that starts with d4 c3"},
		{"pcap header cut", "\xd4\xc3\xb2\xa1\x02\x00\x04\x00", "cut within the header of the file: 8 of 24 octets"},
		{"pcapng magic only", "\x0a\x0d\x0d\x0a\x1c\x00", "not a capture but the start of a pcapng section, cut or damaged"},
		{"pcapng header cut", "\x0a\x0d\x0d\x0a\x1c\x00\x00\x00\x4d\x3c\x2b\x1a", "cut within a block after frame 0: 12 of 28 octets"},
		{"gzip of text", string(packed(t, []byte("Hello"))), `not a capture but gzip of text`},
		{"gzip of nothing", string(packed(t, nil)), "not a capture but gzip of an empty file"},
		{"gzip header cut", "\x1f\x8b\x08\x00", "gzip: unexpected EOF"},
		{"gzip damaged", "\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03garbage", "flate: corrupt input"},
		{"zstd damaged", "\x28\xb5\x2f\xfd\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", "read "},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			path := fileOf(t, "file", []byte(test.content))
			for _, inputs := range [][]string{{path}, {path, path}} {
				_, err := openInputs(Config{Inputs: inputs})
				if err == nil || !strings.HasPrefix(err.Error(), "read "+path+": ") || !strings.Contains(err.Error(), test.want) {
					t.Fatalf("error = %v, want %q", err, test.want)
				}
				if strings.Contains(err.Error(), "\n") {
					t.Errorf("error has several lines: %q", err)
				}
			}
		})
	}
}

func TestOpenRefuses(t *testing.T) {
	capture := fileOf(t, "capture.pcap", pcapBytes(t, fileFrames(1)))
	tests := []struct {
		name   string
		inputs []string
		want   string
	}{
		{"nothing", nil, "0 inputs"},
		{"standard input twice", []string{"-", capture, "-"}, "standard input can be read only once"},
		{"a folder", []string{filepath.Dir(capture)}, "is a directory"},
		{"a folder among files", []string{capture, filepath.Dir(capture)}, "is a directory"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if _, err := openInputs(Config{Inputs: test.inputs}); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error = %v, want %q", err, test.want)
			}
		})
	}
	if checkCount(segment.InputsMax) != nil || checkCount(segment.InputsMax+1) == nil {
		t.Errorf("%d inputs are not the most", segment.InputsMax)
	}
	if _, err := openInputs(Config{Inputs: []string{capture, capture + ".no"}}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("error = %v, want %v", err, fs.ErrNotExist)
	}
}

// A file may vanish between the look at its header and its turn, as the files of a ring do.
func TestInputVanishes(t *testing.T) {
	first := fileOf(t, "first", pcapBytes(t, fileFrames(3)))
	gone := fileOf(t, "gone", pcapBytes(t, fileFrames(3)))
	s, err := openInputs(Config{Inputs: []string{first, gone}})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(gone); err != nil {
		t.Fatal(err)
	}
	if got := drain(s); len(got) != 3 {
		t.Errorf("%d frames, want 3", len(got))
	}
	if a, b := s.stats.Inputs[0], s.stats.Inputs[1]; !a.Complete || b.Complete || !strings.Contains(b.Error, "no such file") {
		t.Errorf("inputs = %+v, %+v", a, b)
	}
}

func TestOpenPipe(t *testing.T) {
	from, to, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer from.Close()
	frames := fileFrames(3)
	octets := pcapBytes(t, frames)
	header := len(pcapBytes(t, frames[:1]))
	if _, err := to.Write(octets[:header]); err != nil {
		t.Fatal(err)
	}
	// Opening and the first frame must not wait for what has not been written yet.
	s, err := openInputs(Config{Inputs: []string{"-"}, Stdin: from})
	if err != nil {
		t.Fatal(err)
	}
	if in, err := s.due(); err != nil || string(in.frame.Data) != frames[0].data {
		t.Fatalf("first frame %+v, error %v", in, err)
	}
	if _, err := to.Write(octets[header:]); err != nil {
		t.Fatal(err)
	}
	to.Close()
	if got := drain(s); len(got) != 2 || !s.stats.Inputs[0].Complete {
		t.Errorf("%d frames more, %+v", len(got), s.stats.Inputs[0])
	}
}
