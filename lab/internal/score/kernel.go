//go:build linux

package score

import (
	"context"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"

	"tcpwhy/lab/internal/peer"
	"tcpwhy/lab/internal/recording"
)

// A bulk is one recording with much data from the server, as the time ledger of the server's
// capture and as the server's kernel (TCP_INFO) have it. Neither knows of the other.
type bulk struct {
	name           string
	ledger, kernel transferTimes
	sndbufMS       float64 // the kernel's; the ledger has no such label
	pausedMS       float64 // the ledger's: the application paused, with or without data under way
	lastRTT        float64 // the kernel's, ms, when all was done
	slackMS        float64
}

// transferTimes are sums over connections.
type transferTimes struct {
	busyMS  float64 // data was waiting in the kernel or under way
	rwndMS  float64 // of that: held by the receive window
	retrans int     // segments sent again
}

// A recording with less from the server, or with the server less long busy, is no bulk.
const (
	bulkOctets = 50_000
	bulkMS     = 50
)

// observeBulk compares a recording, or returns nil if it is no bulk transfer or was not sampled.
func observeBulk(ctx context.Context, program, title, scenario, variant string) (*bulk, error) {
	logs, err := recording.ReadKernelLogs(scenario, variant)
	if err != nil {
		if os.IsNotExist(err) {
			return nil, nil
		}
		return nil, err
	}
	b := bulk{name: title}
	if !b.readKernel(logs) {
		return nil, nil
	}
	r, err := analyse(ctx, program, filepath.Join(recording.Dir(scenario, variant), "server.pcap"))
	if err != nil {
		return nil, err
	}
	b.readLedger(r)
	return &b, nil
}

// readKernel adds up what the kernel says, and reports whether it can be compared.
func (b *bulk) readKernel(logs []peer.KernelLog) bool {
	var octets uint64
	for _, l := range logs {
		if len(l.Samples) == 0 {
			continue
		}
		last := l.Samples[len(l.Samples)-1]
		if last.Unacked > 0 {
			return false // the server closed first: its kernel went on without being asked
		}
		octets += last.Acked
		b.kernel.busyMS += last.BusyMS
		b.kernel.rwndMS += last.RwndMS
		b.kernel.retrans += int(last.Retrans)
		b.sndbufMS += last.SndbufMS
		b.lastRTT = max(b.lastRTT, last.RTTMS)
	}
	return octets >= bulkOctets && b.kernel.busyMS >= bulkMS && len(logs) != peer.MaxSampled
}

// sendingLabels are the times in which the server's kernel has data of a response to send or to
// have acknowledged.
var sendingLabels = []string{
	"queue", "serialize", "paced", "slow_start", "ss_idle_restart", "cong_avoid", "recovery_cwnd",
	"rwnd", "zero_window", "fast_retx", "rto", "tlp", "lost_retx", "spurious_retx", "nagle_rtt",
	"nagle_delack", "delack_cwnd", "cork", "unknown",
}

// readLedger adds up the labels. A response ends in the ledger when its last octet leaves, and for
// the kernel when that was acknowledged, a round trip later, which a queue may have made longer.
// The kernel counts in ticks of 4 ms.
func (b *bulk) readLedger(r report) {
	for _, label := range sendingLabels {
		b.ledger.busyMS += r.Summary.TimeMS[label]
	}
	b.ledger.rwndMS = r.Summary.TimeMS["rwnd"] + r.Summary.TimeMS["zero_window"]
	for _, c := range r.Connections {
		rtt := max(c.RTT.Min, c.RTT.Handshake, b.lastRTT)
		turns := len(c.Exchanges)
		if c.TLS != nil {
			turns += 2 // the server's part of the handshake, and its tickets
		}
		b.ledger.busyMS += float64(turns) * rtt
		b.ledger.retrans += c.ServerRetransmissions
		b.slackMS = max(b.slackMS, rtt)
	}
	b.pausedMS = r.Summary.TimeMS["app_paced"]
	b.slackMS += 8 + .1*b.kernel.busyMS
}

// busyAgrees leaves open how much of the application's pauses went by with data under way.
func (b *bulk) busyAgrees() bool {
	more := b.kernel.busyMS - b.ledger.busyMS
	return more >= -b.slackMS && more <= b.pausedMS+b.slackMS
}

func (b *bulk) rwndAgrees() bool { return math.Abs(b.ledger.rwndMS-b.kernel.rwndMS) <= b.slackMS }

func (b *bulk) retransAgree() bool { return b.ledger.retrans == b.kernel.retrans }

// row is a line of a table in Markdown.
func (b *bulk) row() string {
	var apart []string
	for _, part := range []struct {
		agrees bool
		name   string
	}{{b.busyAgrees(), "busy"}, {b.rwndAgrees(), "rwnd"}, {b.retransAgree(), "retransmissions"}} {
		if !part.agrees {
			apart = append(apart, part.name)
		}
	}
	return fmt.Sprintf("| %s | %.0f / %.0f | %.0f / %.0f | %d / %d | %.0f | %s |",
		b.name, b.ledger.busyMS, b.kernel.busyMS, b.ledger.rwndMS, b.kernel.rwndMS,
		b.ledger.retrans, b.kernel.retrans, b.sndbufMS, strings.Join(apart, ", "))
}
