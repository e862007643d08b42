//go:build linux

// Package catalog has all scenarios, one file for each family.
package catalog

import (
	"fmt"
	"path"
	"slices"
	"sort"

	"tcpwhy/lab/internal/scenario"
)

// All is every scenario, by name.
func All() []scenario.Scenario {
	all := slices.Concat(nagleScenarios(), pacingScenarios(), reuseScenarios(), reuseLookalikes(),
		windowScenarios(), uploadScenarios(), resetScenarios(), failureScenarios(),
		programScenarios(), lossScenarios(), orderScenarios(), pathMTUScenarios(),
		smallWriteScenarios(), bottleneckScenarios(), thinkScenarios(), timerScenarios(),
		setupScenarios(), idleScenarios(), messageScenarios(), pipelineScenarios(),
		headerScenarios(), hostScenarios(), secureScenarios(), toolScenarios(), jitterScenarios(),
		policingScenarios(), carriedScenarios(), multiplexedScenarios(), callScenarios(),
		handshakeScenarios(), quicScenarios(), socketScenarios(),
		streamEndScenarios())
	sort.SliceStable(all, func(i, j int) bool { return all[i].Name < all[j].Name })
	return all
}

// Choose finds scenarios by name or shell pattern; without names, all.
func Choose(patterns []string) ([]scenario.Scenario, error) {
	all := All()
	if len(patterns) == 0 {
		return all, nil
	}
	var chosen []scenario.Scenario
	for _, s := range all {
		for _, p := range patterns {
			if ok, err := path.Match(p, s.Name); err != nil {
				return nil, fmt.Errorf("pattern %q: %w", p, err)
			} else if ok {
				chosen = append(chosen, s)
				break
			}
		}
	}
	if len(chosen) == 0 {
		return nil, fmt.Errorf("no scenario matches %q: see `go run . list`", patterns)
	}
	return chosen, nil
}
