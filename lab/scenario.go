//go:build linux

package main

import (
	"context"
	"fmt"
	"path"
	"slices"
	"sort"
	"time"
)

// A Scenario is one fault between a client and a server, and the one change that cures it.
type Scenario struct {
	Name     string // unique; recorded below lab/out/Name
	About    string // one sentence
	Expect   Expect
	Link     Link
	IPv6     bool
	Sysctls  map[string]string // in both namespaces
	InitCwnd int               // segments, on the server's route; 0 is the kernel's 10
	// InitCwndUp is the same on the client's route.
	InitCwndUp int
	Server     Server
	Client     Client
	Fix        func(*Scenario) // changes what cures the fault; nil if nothing is to be cured
	Snaplen    int             // octets of each frame kept; 0 is all
}

// cured is the scenario with its fault cured.
func (s Scenario) cured() Scenario {
	c := s
	c.Fix(&c)
	return c
}

// snap is the octets of each frame that are kept.
func (s Scenario) snap() int {
	if s.Snaplen == 0 {
		return 1 << 18
	}
	return s.Snaplen
}

// Expect is what the recording of the fault must make the program say.
type Expect struct {
	Rule, Cause string   // "" for a look-alike, which must stay silent
	Count       int      // occurrences; 0 is any number
	Also        []string // further rules that the recording shows too, and that are not scored
	// of Also, those that claim other parts of what the same cure saves: their costs are added
	Shares   []string
	From     string // the capture that decides: client, server or middle; "" is client
	Alone    bool   // the other captures cannot show it
	Timeless bool   // what the fault costs is no time: no saving is held against it
}

// from is the capture that decides, and with are those held against it.
func (e Expect) from() string {
	if e.From == "" {
		return "client"
	}
	return e.From
}

func (e Expect) with() []string {
	if e.Alone {
		return nil
	}
	return slices.DeleteFunc(
		[]string{"client", "server", "middle"},
		func(v string) bool { return v == e.from() },
	)
}

// timeless is true where no saving of time can be held against the cost: a lost answer is not a
// matter of time, and some rules claim none.
func (e Expect) timeless() bool {
	return e.Timeless ||
		slices.Contains([]string{"reset-after-data", "truncated-response", "half-close"}, e.Rule)
}

// String is rule/cause.
func (e Expect) String() string {
	switch {
	case e.Rule == "":
		return "silence"
	case e.Cause == "":
		return e.Rule
	}
	return e.Rule + "/" + e.Cause
}

// A Server answers on port 8080 of the server's namespace until stopped.
type Server interface {
	// Start returns when connections are accepted.
	Start(ctx context.Context, e *Env) (stop func(), err error)
	// About names the program and what is special about it.
	About() string
}

// A Client does the workload of a scenario.
type Client interface {
	// Drive returns when the last request has ended; a request that fails is part of the log, not
	// an error.
	Drive(ctx context.Context, e *Env) error
	About() string
}

// Env is where a scenario runs.
type Env struct {
	*world
	dir string // temporary, for files of programs
	v6  bool
	log *requestLog

	sees observer // what the server's side says

	target string // where clients send to, if not to the server
}

// goal is where clients send to.
func (e *Env) goal() string {
	if e.target != "" {
		return e.target
	}
	return e.serverAddress()
}

func (e *Env) serverAddress() string { return e.address(e.v6, serverPort) }

const serverPort = 8080

// allScenarios is every scenario, by name.
func allScenarios() []Scenario {
	var all []Scenario
	for _, family := range [][]Scenario{
		nagleScenarios(), pacingScenarios(), reuseScenarios(), reuseLookalikes(), windowScenarios(), uploadScenarios(), resetScenarios(), failureScenarios(), programScenarios(),
		lossScenarios(), setupScenarios(), idleScenarios(), messageScenarios(), pipelineScenarios(), headerScenarios(), secureScenarios(), toolScenarios(), jitterScenarios(),
	} {
		all = append(all, family...)
	}
	sort.SliceStable(all, func(i, j int) bool { return all[i].Name < all[j].Name })
	return all
}

// choose finds scenarios by name or shell pattern; without names, all.
func choose(patterns []string) ([]Scenario, error) {
	all := allScenarios()
	if len(patterns) == 0 {
		return all, nil
	}
	var chosen []Scenario
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
		return nil, fmt.Errorf("no scenario matches %q: see `go run ./lab list`", patterns)
	}
	return chosen, nil
}

// at makes one scenario for every round-trip time, named after it.
func at(make func(rtt time.Duration) Scenario, rtts ...int) []Scenario {
	var all []Scenario
	for _, ms := range rtts {
		rtt := time.Duration(ms) * time.Millisecond
		s := make(rtt)
		s.Link.Delay = symmetric(rtt).Delay
		s.Name = fmt.Sprintf("%s-rtt%d", s.Name, ms)
		all = append(all, s)
	}
	return all
}
