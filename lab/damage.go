//go:build linux

package main

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// A damage makes a capture with trouble, or in another dress, from a published recording. What the
// recording shows is known, so what the damaged one must show is known too.
type damage struct {
	name   string
	source string
	about  string
	make   func(frames []frame) []byte
}

func damages() []damage {
	const held, answer, large = "nagle-delayed-ack-request-rtt10", "nagle-delayed-ack-response-rtt10", "slow-start-rtt50"
	whole := func(f []frame) []byte { return classic(f, linkEthernet, 1<<18) }
	return []damage{
		{"capture-duplicated", held, "every frame is in the capture twice, 4 us apart",
			func(f []frame) []byte { return whole(twice(f)) }},
		{
			"capture-snapped-96",
			held,
			"frames are cut to 96 octets: headers of TCP are whole, those of HTTP are not",
			func(f []frame) []byte { return classic(f, linkEthernet, 96) },
		},
		{
			"capture-snapped-68",
			large,
			"frames are cut to 68 octets: the SYNs lose their timestamps and their window scaling",
			func(f []frame) []byte { return classic(f, linkEthernet, 68) },
		},
		{"capture-snapped-68-send-buffer", "lookalike-send-buffer-small-rtt50",
			"frames are cut to 68 octets: the SYNs lose their window scaling, so that windows look smaller than they are",
			func(f []frame) []byte { return classic(f, linkEthernet, 68) }},
		{
			"capture-mid-stream",
			answer,
			"the capture begins after the handshake and the first exchange",
			func(f []frame) []byte { return whole(f[9:]) },
		},
		{"capture-ends-early", answer, "the capture ends in the middle of the eighth exchange",
			func(f []frame) []byte { return whole(f[:41]) }},
		{"capture-vlan", held, "every frame has a VLAN tag",
			func(f []frame) []byte { return whole(tagged(f)) }},
		{"capture-sll2", held, "the capture was made on `any`: LINUX_SLL2 in place of Ethernet",
			func(f []frame) []byte { return classic(cooked(f), linkSLL2, 1<<18) }},
		{"capture-pcapng", held, "the container is pcapng with nanoseconds", nextGeneration},
		{"capture-big-endian-microseconds", held,
			"the container is pcap of a big-endian machine, with microseconds", bigEndian},
		{"capture-file-cut", answer, "the file ends in the middle of its last record",
			func(f []frame) []byte { b := whole(f[:41]); return b[:len(b)-30] }},
		{"capture-frames-missing", large,
			"twelve frames of the response are missing from the capture, though they were sent and acknowledged",
			func(f []frame) []byte { return classic(missing(f), linkEthernet, 160) }},
		{
			"capture-ack-missing",
			answer,
			"one frame is missing from the capture: the acknowledgment that ended the hold of the sixth response",
			func(f []frame) []byte { return whole(slices.Concat(f[:31], f[32:])) },
		},
		{
			"capture-one-direction",
			large,
			"the capture has only what the server sent: nothing tells of acknowledgments but the echoes of timestamps",
			func(f []frame) []byte { return classic(fromServer(f), linkEthernet, 160) },
		},
		{
			"capture-one-direction-pauses",
			"lookalike-application-limited-rtt50",
			"the capture has only what the server sent, which pauses on its own",
			func(f []frame) []byte { return classic(fromServer(f), linkEthernet, 160) },
		},
	}
}

func damageAll(names []string) error {
	var errs []error
	for _, d := range damages() {
		if len(names) == 0 || slices.Contains(names, d.name) {
			errs = append(errs, d.write())
		}
	}
	return errors.Join(errs...)
}

func (d damage) write() error {
	frames, err := readPcap(filepath.Join(scenarioDir, d.source, "capture.pcap"))
	if err != nil {
		return err
	}
	dir := filepath.Join(scenarioDir, d.name)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, "capture.pcap"), d.make(frames), 0o644); err != nil {
		return err
	}
	text := fmt.Sprintf(
		"%s.\n\nmade from %s by `go run ./lab damage`: the set-up is described there\norigin: recorded by lab/, MIT\n",
		strings.ToUpper(d.about[:1])+d.about[1:],
		d.source,
	)
	return writeDescription(filepath.Join(dir, "scenario.txt"), text)
}

func twice(frames []frame) []frame {
	var all []frame
	for _, f := range frames {
		copied := f
		copied.at += 4000
		all = append(all, f, copied)
	}
	return all
}

// missing leaves out frames 30 to 35 and 100 to 105: with them go segments of the response and
// ACKs.
func missing(frames []frame) []frame {
	var left []frame
	for i, f := range frames {
		if n := i + 1; (n < 30 || n > 35) && (n < 100 || n > 105) {
			left = append(left, f)
		}
	}
	return left
}

// fromServer leaves out what the client sent.
func fromServer(frames []frame) []frame {
	var left []frame
	for _, f := range frames {
		if !bytes.Equal(f.data[6:12], clientStation().mac) {
			left = append(left, f)
		}
	}
	return left
}

// tagged puts an 802.1Q tag of VLAN 100 into every frame.
func tagged(frames []frame) []frame {
	var all []frame
	for _, f := range frames {
		data := append([]byte(nil), f.data[:12]...)
		data = append(data, 0x81, 0, 0, 100)
		all = append(all, frame{at: f.at, data: append(data, f.data[12:]...), wire: f.wire + 4})
	}
	return all
}

// linkSLL2 is LINKTYPE_LINUX_SLL2.
const linkSLL2 = 276

// cooked puts a header of LINUX_SLL2 in place of Ethernet's: protocol, reserved, interface, ARPHRD
// type, packet type (4 is outgoing), address length and address. The client's machine made the
// capture.
func cooked(frames []frame) []frame {
	var all []frame
	for _, f := range frames {
		head := make([]byte, 20)
		copy(head, f.data[12:14])
		binary.BigEndian.PutUint32(head[4:], 2)
		binary.BigEndian.PutUint16(head[8:], 1)
		if bytes.Equal(f.data[6:12], clientStation().mac) {
			head[10] = 4
		}
		head[11] = 6
		copy(head[12:], f.data[6:12])
		all = append(all, frame{at: f.at, data: append(head, f.data[14:]...), wire: f.wire + 6})
	}
	return all
}

// nextGeneration is a pcapng file: one section, one interface with if_tsresol 9, enhanced packet
// blocks.
func nextGeneration(frames []frame) []byte {
	le := binary.LittleEndian
	section := le.AppendUint32(nil, 0x1a2b3c4d)
	section = append(section, 1, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff)
	face := []byte{
		1,
		0,
		0,
		0,
		0,
		0,
		4,
		0,
		2,
		0,
		4,
		0,
		'e',
		't',
		'h',
		'0',
		9,
		0,
		1,
		0,
		9,
		0,
		0,
		0,
		0,
		0,
		0,
		0,
	}
	all := append(block(0x0a0d0d0a, section), block(1, face)...)
	for _, f := range frames {
		body := le.AppendUint32(nil, 0)
		body = le.AppendUint32(body, uint32(uint64(f.at)>>32))
		body = le.AppendUint32(body, uint32(f.at))
		body = le.AppendUint32(body, uint32(len(f.data)))
		body = le.AppendUint32(body, uint32(f.wire))
		body = append(body, f.data...)
		all = append(all, block(6, append(body, make([]byte, (4-len(f.data)%4)%4)...))...)
	}
	return all
}

func block(kind uint32, body []byte) []byte {
	le := binary.LittleEndian
	b := le.AppendUint32(nil, kind)
	b = le.AppendUint32(b, uint32(len(body)+12))
	b = append(b, body...)
	return le.AppendUint32(b, uint32(len(body)+12))
}
