//go:build linux

package publish

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"tcpwhy/lab/internal/packet"
)

// A damage makes a capture with trouble, or in another dress, from a published recording. What the
// recording shows is known, so what the damaged one must show is known too.
type damage struct {
	name   string
	source string
	about  string
	make   func(frames []packet.Frame) []byte // the file
}

// The recordings that are damaged.
const (
	held     = "nagle-delayed-ack-request-rtt10"
	answer   = "nagle-delayed-ack-response-rtt10"
	large    = "slow-start-rtt50"
	pausing  = "lookalike-application-limited-rtt50"
	slowed   = "lookalike-send-buffer-small-rtt50"
	thinking = "lookalike-think-40ms-rtt10"
	closed   = "reuse-response-close-rtt10"
	idling   = "reuse-server-idle-timeout-nginx-rtt10"
	lossy    = "loss-without-options-rtt20"
)

func damages() []damage {
	return slices.Concat(partial(), dressed(), mistaken())
}

// partial are captures in which something is missing.
func partial() []damage {
	return []damage{
		{"capture-snapped-96", held,
			"frames are cut to 96 octets: headers of TCP are whole, those of HTTP are not",
			snapped(96)},
		{"capture-snapped-128", closed,
			"frames are cut to 128 octets: the first lines of HTTP are whole, Connection: close " +
				"is not seen",
			snapped(128)},
		{"capture-snapped-68", large,
			"frames are cut to 68 octets: the SYNs lose their timestamps and their window scaling",
			snapped(68)},
		{"capture-snapped-68-send-buffer", slowed,
			"frames are cut to 68 octets: the SYNs lose their window scaling, so that windows " +
				"look smaller than they are",
			snapped(68)},
		{"capture-mid-stream", answer,
			"the capture begins after the handshake and the first exchange",
			func(f []packet.Frame) []byte { return whole(f[9:]) }},
		{"capture-ends-early", answer,
			"the capture ends in the middle of the eighth exchange",
			func(f []packet.Frame) []byte { return whole(f[:41]) }},
		{"capture-file-cut", answer,
			"the file ends in the middle of its last record",
			func(f []packet.Frame) []byte { b := whole(f[:41]); return b[:len(b)-30] }},
		{"capture-frames-missing", large,
			"twelve frames of the response are missing from the capture, though they were sent " +
				"and acknowledged",
			func(f []packet.Frame) []byte { return snapped(160)(missing(f)) }},
		{"capture-ack-missing", answer,
			"one frame is missing from the capture: the acknowledgment that ended the hold of " +
				"the sixth response",
			func(f []packet.Frame) []byte { return whole(slices.Concat(f[:31], f[32:])) }},
		{"capture-syn-acks-missing", closed,
			"every SYN-ACK is missing from the capture",
			func(f []packet.Frame) []byte { return whole(without(f, isSYNACK)) }},
		{"capture-client-acks-missing", closed,
			"every acknowledgment of the client that carries nothing else is missing from the capture",
			func(f []packet.Frame) []byte { return whole(without(f, isClientACK)) }},
		{"capture-one-direction", large,
			"the capture has only what the server sent: nothing tells of acknowledgments but " +
				"the echoes of timestamps",
			func(f []packet.Frame) []byte { return snapped(160)(fromServer(f)) }},
		{"capture-one-direction-pauses", pausing,
			"the capture has only what the server sent, which pauses on its own",
			func(f []packet.Frame) []byte { return snapped(160)(fromServer(f)) }},
	}
}

// dressed are captures that show the same in other forms.
func dressed() []damage {
	return []damage{
		{"capture-duplicated", held,
			"every frame is in the capture twice, 4 us apart",
			func(f []packet.Frame) []byte { return whole(twice(f)) }},
		{"capture-before-and-behind-router", lossy,
			"every frame is in the capture before a router and behind it, 8 ms apart",
			func(f []packet.Frame) []byte { return snapped(160)(routed(f, 8e6)) }},
		{"capture-vlan", held,
			"every frame has a VLAN tag",
			func(f []packet.Frame) []byte { return whole(tagged(f)) }},
		{"capture-vxlan-group-policy", held,
			"every frame is in VXLAN with a group policy, over an outer IPv4 network",
			func(f []packet.Frame) []byte {
				return whole(enclosed(f, 4789, []byte{0x88, 0, 0, 7, 0, 0, 42, 0}))
			}},
		{"capture-in-unknown-tunnel", held,
			"every frame is in a tunnel over UDP that nobody can look into",
			func(f []packet.Frame) []byte {
				return snapped(90)(enclosed(f, 51820, []byte{4, 0, 0, 0}))
			}},
		{"capture-sll2", held,
			"the capture was made on `any`: LINUX_SLL2 in place of Ethernet",
			func(f []packet.Frame) []byte { return packet.Pcap(cooked(f), linkSLL2, 1<<18) }},
		{"capture-pcapng", held,
			"the container is pcapng with nanoseconds",
			nextGeneration},
		{"capture-big-endian-microseconds", held,
			"the container is pcap of a big-endian machine, with microseconds",
			packet.BigEndianPcap},
	}
}

// mistaken are captures whose frames, clock or container are not as they should be.
func mistaken() []damage {
	return []damage{
		{"capture-kernel-drops", held,
			"the container says that the interface dropped twelve frames",
			func(f []packet.Frame) []byte { return append(nextGeneration(f), dropped(12)...) }},
		{"capture-unknown-link-type", held,
			"the container has another interface, of a link type that nobody knows, with three " +
				"frames",
			func(f []packet.Frame) []byte { return append(nextGeneration(f), unknownLink(3)...) }},
		{"capture-short-frames", held,
			"the last three frames, the close, are cut within their TCP header",
			func(f []packet.Frame) []byte { return whole(shortened(f, 3)) }},
		{"capture-bad-options", held,
			"the last option of the client's SYN, its window scaling, has no length",
			func(f []packet.Frame) []byte { return whole(badOption(f)) }},
		{"capture-clock-steps", thinking,
			"the clock steps back 20 ms after the fourth exchange",
			func(f []packet.Frame) []byte { return whole(stepped(f, 16, -20e6)) }},
		{"capture-clock-steps-between-connections", idling,
			"the connections three times, from other ports each time, the second time a minute " +
				"after the first; then the clock steps back half a minute",
			func(f []packet.Frame) []byte { return whole(again(f, 0, 60e9, 30e9)) }},
		{"capture-older-part-appended", idling,
			"the connections twice, from other ports the second time, when the clock stands a " +
				"minute before the first",
			func(f []packet.Frame) []byte { return whole(again(f, 0, -60e9)) }},
		{"capture-frames-swapped", held,
			"every fifth frame stands before the one that was captured just before it; the stamps " +
				"are right",
			func(f []packet.Frame) []byte { return whole(swapped(f, 5)) }},
		{"capture-of-two-queues", lossy,
			"the card has a queue for each direction, and hands over 12 frames at a time, those " +
				"of one queue before those of the other; the stamps are right",
			func(f []packet.Frame) []byte { return snapped(160)(byQueue(f, 12)) }},
		{"capture-late-direction", thinking,
			"what the client sent is stamped 15 ms late, when the server has acknowledged it",
			func(f []packet.Frame) []byte { return whole(clientLate(f, 15e6)) }},
	}
}

func whole(f []packet.Frame) []byte { return snapped(1 << 18)(f) }

// snapped files frames of which so many octets are kept.
func snapped(octets int) func([]packet.Frame) []byte {
	return func(f []packet.Frame) []byte { return packet.Pcap(f, packet.LinkEthernet, octets) }
}

// Damage makes the captures of these names, or all.
func Damage(names []string) error {
	var errs []error
	for _, d := range damages() {
		if len(names) == 0 || slices.Contains(names, d.name) {
			errs = append(errs, d.write())
		}
	}
	for _, k := range keyed() {
		if len(names) == 0 || slices.Contains(names, k.name) {
			errs = append(errs, k.write())
		}
	}
	return errors.Join(errs...)
}

func (d damage) write() error {
	frames, err := packet.ReadPcap(filepath.Join(scenarioDir, d.source, "capture.pcap"))
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
	const description = "%s.\n\nmade from %s by the lab (`go run . damage`): the set-up is described " +
		"there\norigin: recorded by lab/, MIT\n"
	text := fmt.Sprintf(description, strings.ToUpper(d.about[:1])+d.about[1:], d.source)
	return writeDescription(filepath.Join(dir, "scenario.txt"), text)
}
