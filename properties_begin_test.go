package main

import (
	"flag"
	"math/rand/v2"
	"path"
	"testing"

	"tcpwhy/analysis/report"
)

// cutFrames is at how many frames of each capture TestBegunLater lets it begin.
var cutFrames = flag.Int("cuts", 4, "frames of each capture at which it begins later; 0: at each")

// laterBegun are captures that show another fault when they begin later, and why that is right.
var laterBegun = map[string]string{}

// TestBegunLater: a capture that begins later makes no fault of what was none: nothing of medium
// severity and above is found whose cause the whole one does not have.
func TestBegunLater(t *testing.T) {
	t.Parallel()
	corpus(t, func(t *testing.T, tr trace, seed uint64) {
		was := worst(analyseData(t, tr.pcap(t, true)))
		random := rand.New(rand.NewPCG(seed, 13))
		frames := random.Perm(len(tr.packets))
		if *cutFrames > 0 {
			frames = frames[:min(*cutFrames, len(frames))]
		}
		for _, i := range frames {
			rest := trace{link: tr.link, packets: tr.packets[i:]}
			for key, s := range worst(analyseData(t, rest.pcap(t, true))) {
				if _, known := was[key]; known || s < report.Medium || laterBegun[path.Base(t.Name())] == key {
					continue
				}
				t.Errorf("from frame %d on %s is %v, and was not found", i+1, key, s)
			}
		}
	})
}

// worst is how severe each fault is, by rule and cause.
func worst(r *report.Report) map[string]report.Severity {
	all := map[string]report.Severity{}
	for i := range r.Findings {
		if f := &r.Findings[i]; f.Client.IsValid() {
			key := f.Rule + "/" + f.Cause
			all[key] = max(all[key], f.Severity)
		}
	}
	return all
}
