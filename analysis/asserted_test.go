package analysis

import (
	"slices"
	"strings"
	"testing"
)

// unasserted are the words that assert no fact of frames, by why. All other words do, and what they
// assert is looked up in the packets of all captures (TestFacts).
func unasserted() map[string][]string {
	return map[string][]string{
		"the frames beside it assert the same": {
			"The SYN-ACK came {s} after", "The client's acknowledgment came {s}",
			"The client closed the connection {s} after its request", "No response had begun.",
			"{n} of {n} announced octets", "The last chunk was not sent.",
			"Only a close could end the request.", "It was answered all the same.",
			"It got no response.", "The next hop takes", "A segment with the next octets",
			"The TLS handshake did not get through.", "The {side} sends it.", "The {side} sent it",
			"the last that this host sent",
			"no Close frame before it", // of a stream of HTTP/2, which ends by a frame or with all others
			"ends",                     // may be a FIN, or what acknowledges the last octet
		},
		"what was counted over many connections, or learned from them": {
			"At the peak", "The rate held", "It used {n} ports", "{n} of {n} connections.", "{n} of {n} connections with TLS",
			"{n} were open", "{n} responses stopped", "{n} requests, a round trip", "{n request} got no response.",
			"It ends a connection behind", "It ended that behind", "The other one had {n stream}",
			"No stream had been open", "It gave up {n request}",
			"Requests came within a tenth", "The server closes connections that are idle",
			"The server ends connections that are idle", "{n} exchanges waited",
			"round trips of {ms} on this connection", "Each connection was {s} old",
			"The server closed at an age", "It shows once on each",
			"The client asked several ports", "The client uses resting ports again",
			"Half of its other handshakes took", "The server's flight had {n octet}",
			"{n call} of {n} of {text}", "No call of this method was answered",
			"The deadline is enough: within it",
			"{n call}, each sent when the answer",
			"{n WebSocket} of this service ended so",
			"It took {s} here", "What the server took here", "{text}, behind the proxy,",
			"For {s} the server sent nothing on", "{text} had been asked for first",
			"It works on {n request} at a time", "In the middle of {n response} it paused until then",
		},
		"who was to go on with a handshake, and for how long: the close beside it asserts the moment": {
			"Nothing answers the ClientHello",
			"It stopped in the middle",
			"It answered the ClientHello",
			"The client waited for {s}.",
			"Nobody has ended that",
			"The server had waited for {s}",
		},
		"messages of DNS, which belong to no connection: what frames they are is looked up": {
			"for {text}", "{s} later, when the resolver's", "to {text}", "{text}, {s} after the query",
			"asks for {text}", "It had sent {n datagram} by then",
			"{s} after the query", "nothing was left to wait for", "The name is {text}.",
			"It was asked for with {n search", "The other address had not", "The other address had refused",
		},
		"a model that explains many segments": {
			"{octets}, policed at {mbit}; the capture lacks",
			"The window was {octets} and the round trip",
			"It lets {mbit} pass", "It lets {octets} pass", "It carries {mbit}.",
			"Round trips grew by {ms}",
		},
		"what is known of methods and programs, not of packets": {
			"The server never processed it,", "The request could be repeated safely.", "Whether it can be repeated safely",
			"{text} is not idempotent", "The client is a program", "The requests name a program",
			"With TLS 1.3 that costs no round trip", "Without early data it would",
			"What the messages say is not visible",
		},
		"a reading, which the rule derives from windows, moments and fields that it compares": {
			"The server had had this call for {s}", "Losses, windows and the path took {s} of the",
			"It was the window of the stream,", "It was the window of the connection,",
			"As many as {n stream} were open at a time;", "No more than {n stream} were open at a time,",
			"A round trip takes {s} at the least, of", "The way to the server carried {mbit}",
			"The window that it offered", "The client had the whole response for a while",
			"The server said that it keeps no idle", "A proxy on the side",
			"The host that was to acknowledge", "The timer is shorter than those",
			"The capture begins in the middle", "Only segments with none beside them",
			"The client takes compressed bodies.", "The client did not ask for compression",
			"{n request} of {n} got no response within", "{n request} of {n} got no whole response within",
			"All that had come of the responses was acknowledged", "The server answered later, up to",
			"{n request} left so, of {n}.",
			"for the same client, on connection {conn}, {s} after the SYN",
			"It gave {n request} up after {s}",
			"{n response} of {n} to {text} were errors",
			"{n response} of {n} to {text} was an error",
			"{n response} of {n} that the service gave were errors", "The request had been whole {s} before",
			"The server acknowledged the requests, and", "Meanwhile it answered other requests",
			"Its kernel holds the small end", "The RST has the TTL of the server's own",
			"It ends a connection that had been idle for {s}",
			"Its own clock stood, too", "Its timer for what had been lost",
			"The client had asked for it with urgency {n}",
		},
	}
}

// TestAsserted: words assert facts, or are listed with the reason why not; and no more are listed.
func TestAsserted(t *testing.T) {
	used := map[string]bool{}
	for _, d := range detectors() {
		for i := range d.Vocabulary {
			w := &d.Vocabulary[i]
			if w.Text == "" || len(w.Facts) > 0 {
				continue
			}
			if begins := excused(w.Text); begins != "" {
				used[begins] = true
			} else {
				t.Errorf("%s: %q asserts nothing, and no reason is given", d.Name, w.Text)
			}
		}
	}
	for why, all := range unasserted() {
		for _, begins := range all {
			if !used[begins] {
				t.Errorf("%s: no words without facts begin with %q", why, begins)
			}
		}
	}
}

// excused is the entry of unasserted that the words begin with, the longest; "" if there is none.
func excused(text string) string {
	longest := ""
	for _, all := range unasserted() {
		if i := slices.IndexFunc(all, func(b string) bool {
			return strings.HasPrefix(text, b) && len(b) > len(longest)
		}); i >= 0 {
			longest = all[i]
		}
	}
	return longest
}
