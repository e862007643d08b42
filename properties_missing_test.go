package main

import (
	"flag"
	"math/rand/v2"
	"path"
	"strings"
	"testing"

	"tcpwhy/analysis/report"
)

// missingFrames is how many frames of each capture TestOneMissing leaves out, one at a time.
var missingFrames = flag.Int("missing", 3, "frames of each capture that are left out, one at a time; 0: each")

// onlyProof are the captures where one frame alone tells a fault from what looks like it, so that
// without it the fault is found in high confidence, by rule.
var onlyProof = map[string]string{
	// the acknowledgment that has a duplicate SACK
	"lookalike-delayed-ack-lost":  "a wait",
	"port-reused-too-early-rtt10": "a wait", // the second SYN
	// the copy in vain while a new connection works
	"idle-drop-soon-rtt30":             "a wait",
	"keepalive-stale-use-rtt50-server": "missed-reuse", // the request that came after the FIN
	"reset-unread-request-data-rtt10":  "missed-reuse", // the FIN before the reset
	"h2-ping-unanswered-rtt40":         "given up",     // the ACK of the PING
	// the ACK that answers the copy at once, as a host does that has the segment
	"timer-once-below-delayed-ack-rtt20": "a wait",
	// the reset with ACK: what follows answers late segments
	"reset-linger-zero-rtt10":    "missed-reuse",
	"reuse-go-not-drained-rtt10": "missed-reuse", // the reset of a response that was not read
}

// TestOneMissing: a single frame that the capture lacks, whatever it was, makes nothing surer, and
// no fault that is sure, where the report does not say that something is lacking (property 8).
func TestOneMissing(t *testing.T) {
	t.Parallel()
	corpus(t, func(t *testing.T, tr trace, seed uint64) {
		whole := analyseData(t, tr.pcap(t, true))
		was := grouped(faults(whole))
		random := rand.New(rand.NewPCG(seed, 12))
		frames := random.Perm(len(tr.packets))
		if *missingFrames > 0 {
			frames = frames[:min(*missingFrames, len(frames))]
		}
		sure := report.ConfidenceMedium // what is less sure may come of what cannot be seen
		for _, i := range frames {
			less := trace{link: tr.link}
			less.packets = append(append(less.packets, tr.packets[:i]...), tr.packets[i+1:]...)
			r := analyseData(t, less.pcap(t, true))
			for key, f := range grouped(faults(r)) {
				w := was[key]
				if proof := onlyProof[path.Base(t.Name())]; proof != "" && strings.HasPrefix(key, proof) {
					continue
				}
				if f.confidence > max(w.confidence, sure) && !newlyWeakened(r, whole) {
					t.Errorf("without frame %d %s is %+v, was %+v", i+1, key, f, w)
				}
			}
		}
	})
}
