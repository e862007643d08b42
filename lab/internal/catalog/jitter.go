//go:build linux

package catalog

import (
	"strings"
	"time"

	"tcpwhy/lab/internal/scenario"
)

// jitterScenarios are some of the others over a path whose delay varies as that of a radio link
// does: what takes how long tells little there, and only what released what tells.
func jitterScenarios() []scenario.Scenario {
	var all []scenario.Scenario
	for _, of := range []func(time.Duration) scenario.Scenario{
		nagleRequest, nagleResponse, naglePromptRequest, naglePromptResponse,
		thinkOf(40), pacedServer(40), slowWriter, corked, wholeWrites, pacedClient, streamed,
		slowStart, coldAndWarm, smallResponse, applicationLimited, receiverLimited, zeroWindow,
		uploadLoss, lazyAck, corkKept, lateEnd, bulkBBR, outlier, slowStartUpload, serverWindow,
		applicationUpload, tailLoss, singleLoss, requestLoss, middleLoss, reuseClientClosed,
		reuseIgnoredIdle, reuseResponseClose, parallelBusy, preconnect, staleUse,
	} {
		all = append(all, at(varying(of), 20)...)
	}
	return all
}

// varying is the scenario with a delay that varies by a round trip of 20 ms.
func varying(of func(time.Duration) scenario.Scenario) func(time.Duration) scenario.Scenario {
	return func(rtt time.Duration) scenario.Scenario {
		s := of(rtt)
		name, lookalike := strings.CutPrefix(s.Name, "lookalike-")
		if s.Name = "jitter-" + name; lookalike {
			s.Name = "lookalike-" + s.Name
		}
		s.About += "; the delay of the path varies"
		s.Link.Jitter, s.Link.Seed = 10*time.Millisecond, 7
		return s
	}
}
