//go:build linux

package publish

import (
	"os"
	"path/filepath"
	"slices"
	"strings"

	"tcpwhy/lab/internal/packet"
)

// decrypted is the recording with a key log that trouble is made with.
const decrypted = "nagle-delayed-ack-tls-response-rtt10-decrypted"

// keyedDamage is one with a key log beside the capture, made of that of its source.
type keyedDamage struct {
	damage
	keys func(log string) string
}

func (k keyedDamage) write() error {
	if err := k.damage.write(); err != nil {
		return err
	}
	log, err := os.ReadFile(filepath.Join(scenarioDir, k.source, "keys.txt"))
	if err != nil {
		return err
	}
	name := filepath.Join(scenarioDir, k.name, "keys.txt")
	return os.WriteFile(name, []byte(k.keys(string(log))), 0o644)
}

// keyed are captures with key logs that do not fit, or with trouble.
func keyed() []keyedDamage {
	trouble := func(name, about string, make func([]packet.Frame) []byte,
		keys func(string) string) keyedDamage {
		return keyedDamage{damage{name, decrypted, about, make}, keys}
	}
	return []keyedDamage{
		trouble("tls-keys-of-others", "the key log has secrets of other connections only", whole,
			eachLine(func(fields []string) { fields[1] = flipped(fields[1]) })),
		trouble("tls-keys-wrong", "in each secret of the key log one digit is another", whole,
			eachLine(func(fields []string) { fields[2] = flipped(fields[2]) })),
		trouble("tls-keys-without-hello",
			"the capture begins after the hellos, by which secrets are found",
			func(f []packet.Frame) []byte { return whole(f[12:]) }, strings.Clone),
		trouble("tls-keys-in-part", "the key log lacks the secrets of the handshake", whole,
			lacking("HANDSHAKE")),
		trouble("tls-keys-snapped-256",
			"frames are cut to 256 octets: of larger records what is left can be read",
			snapped(256), strings.Clone),
		trouble(
			"tls-keys-frames-missing",
			"two frames of the server are missing from the capture: the header of the fifth response, "+
				"and the body of the seventh",
			func(f []packet.Frame) []byte {
				return whole(slices.Concat(f[:34], f[35:46], f[47:]))
			},
			strings.Clone,
		),
	}
}

// eachLine changes the three fields of each line of a key log.
func eachLine(change func(fields []string)) func(string) string {
	return func(log string) string {
		var out strings.Builder
		for line := range strings.Lines(log) {
			fields := strings.Fields(line)
			change(fields)
			out.WriteString(strings.Join(fields, " ") + "\n")
		}
		return out.String()
	}
}

// flipped is a number with another first digit.
func flipped(number string) string {
	if number[0] == '0' {
		return "1" + number[1:]
	}
	return "0" + number[1:]
}

// lacking leaves out lines that have a word.
func lacking(word string) func(string) string {
	return func(log string) string {
		var out strings.Builder
		for line := range strings.Lines(log) {
			if !strings.Contains(line, word) {
				out.WriteString(line)
			}
		}
		return out.String()
	}
}
