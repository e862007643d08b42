//go:build linux

package score

import (
	"fmt"
	"slices"
	"strings"
)

// kinds of causes, by the rules that tell them.
var kinds = [...]struct {
	name  string
	rules []string
}{
	{"losses and timers", []string{"packet-loss", "retransmission-timeout", "outage", "path-mtu"}},
	{"the path's rate and queues", []string{"bandwidth", "parallel-connections"}},
	{"windows and buffers", []string{
		"slow-start", "slow-start-after-idle", "receive-window", "zero-window", "send-buffer",
	}},
	{"small writes", []string{
		"nagle", "nagle-delayed-ack", "delayed-ack", "cork", "small-segments",
	}},
	{"hosts and programs", []string{
		"server-think", "serial-requests", "pool-wait", "expect-continue", "dns",
	}},
	{"connections not kept", []string{"missed-reuse", "connect-cost"}},
	{"connecting", []string{
		"connection-refused", "syn-retransmission", "port-exhaustion", "tls-handshake", "tls-alert",
	}},
	{"how exchanges and connections end", nil}, // all others
}

// kindOf is the place of a rule's kind.
func kindOf(rule string) int {
	name, _, _ := strings.Cut(rule, "/")
	for i := range kinds {
		if slices.Contains(kinds[i].rules, name) {
			return i
		}
	}
	return len(kinds) - 1
}

// kindScore counts the findings of a kind.
type kindScore struct {
	right, missed, wrong int
	sure                 [len(levels)]sureness
}

// writeKinds is how right what is said of each kind of cause is.
func (b *board) writeKinds(t *strings.Builder) {
	t.WriteString(
		"By kind of cause: the recordings in which it was found and where it was not, and of its " +
			"findings those that are right.\n\n| kind | recall | precision | proven | high | medium |\n" +
			"|---|---|---|---|---|---|\n",
	)
	var all [len(kinds)]kindScore
	for name, r := range b.rules {
		k := &all[kindOf(name)]
		k.right, k.missed, k.wrong = k.right+r.right, k.missed+r.missed, k.wrong+r.false
		for i, s := range r.sure {
			k.sure[i].right, k.sure[i].all = k.sure[i].right+s.right, k.sure[i].all+s.all
		}
	}
	for i := range all {
		k := &all[i]
		fmt.Fprintf(t, "| %s | %s | %s |", kinds[i].name,
			share(k.right, k.right+k.missed), share(k.right, k.right+k.wrong))
		for _, s := range k.sure {
			fmt.Fprintf(t, " %s |", share(s.right, s.all))
		}
		fmt.Fprintln(t)
	}
	fmt.Fprintln(t)
}
