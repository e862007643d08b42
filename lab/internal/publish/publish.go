//go:build linux

// Package publish turns recordings into scenarios of the tests.
package publish

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"tcpwhy/lab/internal/recording"
	"tcpwhy/lab/internal/scenario"
	"tcpwhy/lab/internal/world"
)

// scenarioDir holds what the tests read.
const scenarioDir = "testdata/pcaps"

// published is one recording chosen for the tests: NAME, NAME:server, NAME:fixed,
// NAME:fixed:middle.
type published struct {
	scenario scenario.Scenario
	variant  string // fault or fixed
	vantage  string // client, server or middle
	keys     bool   // with the key log
}

// Publish copies recordings into testdata/pcaps. The description is written once, from the
// recording; what the program must say is added to it by hand, and is never touched here.
func Publish(all []scenario.Scenario, names []string) error {
	if len(names) == 0 {
		return errors.New("publish: which? NAME[:fixed][:client|server|middle][:keys]")
	}
	var errs []error
	for _, name := range names {
		p, err := parsePublished(all, name)
		if err == nil {
			err = p.publish()
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

func parsePublished(all []scenario.Scenario, name string) (published, error) {
	words := strings.Split(name, ":")
	p := published{variant: "fault", vantage: "client"}
	for _, s := range all {
		if s.Name == words[0] {
			p.scenario = s
		}
	}
	if p.scenario.Name == "" {
		return p, fmt.Errorf("publish %s: no such scenario", name)
	}
	for _, w := range words[1:] {
		switch {
		case w == "fixed" && p.scenario.Fix != nil:
			p.variant = w
		case w == "keys":
			p.keys = true
		case w == "client" || w == "server" || w == "middle":
			p.vantage = w
		default:
			return p, fmt.Errorf("publish %s: what is %q?", name, w)
		}
	}
	return p, nil
}

// folder names the recording below testdata/pcaps: what differs from the fault seen by the client
// is part of it.
func (p published) folder() string {
	name := p.scenario.Name
	if p.variant == "fixed" {
		name += "-fixed"
	}
	if p.vantage != "client" {
		name += "-" + p.vantage
	}
	if p.keys {
		name += "-decrypted"
	}
	return filepath.Join(scenarioDir, name)
}

func (p published) publish() error {
	source := recording.Dir(p.scenario.Name, p.variant)
	capture, err := os.ReadFile(filepath.Join(source, p.vantage+".pcap"))
	if err != nil {
		return err
	}
	if err := os.MkdirAll(p.folder(), 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(p.folder(), "capture.pcap"), capture, 0o644); err != nil {
		return err
	}
	if err := p.publishKeys(source); err != nil {
		return err
	}
	text, err := p.describe()
	if err != nil {
		return err
	}
	return writeDescription(filepath.Join(p.folder(), "scenario.txt"), text)
}

// publishKeys copies the key log, if that is wanted.
func (p published) publishKeys(source string) error {
	if !p.keys {
		return nil
	}
	keys, err := os.ReadFile(filepath.Join(source, "keys.txt"))
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(p.folder(), "keys.txt"), keys, 0o644)
}

// writeDescription replaces what stands above the truth, which begins with the line "truth:" and
// stays as it is.
func writeDescription(name, text string) error {
	const mark = "\ntruth:\n"
	before, err := os.ReadFile(name)
	if err != nil && !os.IsNotExist(err) {
		return err
	}
	truth := ""
	if _, after, ok := strings.Cut(string(before), mark); ok {
		truth = after
	}
	return os.WriteFile(name, []byte(strings.TrimRight(text, "\n")+"\n"+mark+truth), 0o644)
}

// describe is the set-up in words.
func (p published) describe() (string, error) {
	log, err := recording.ReadLog(p.scenario.Name, p.variant)
	if err != nil {
		return "", err
	}
	s := p.scenario
	if p.variant == "fixed" {
		s = s.Cured()
		s.About = "the cured twin of " + s.Name + ": " + s.About + " - but for the one change below"
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s.\n\n", strings.ToUpper(s.About[:1])+s.About[1:])
	for _, line := range log.Programs {
		fmt.Fprintln(&b, line)
	}
	fmt.Fprintf(&b, "network: %s\n", s.Link)
	fmt.Fprintf(&b, "kernel: %s at both ends%s\n", log.Kernel, settings(s))
	fmt.Fprintf(&b, "captured: %s, nanosecond timestamps of the kernel%s\n", p.where(), cut(s))
	fmt.Fprintf(&b, "application: %d request(s), %.1f ms in all%s\n", len(log.Requests), log.Total,
		p.twin(log))
	if p.keys {
		fmt.Fprintln(
			&b,
			"keys: keys.txt is what the client logged; certificate and keys are the lab's "+
				"own, made for this recording",
		)
	}
	fmt.Fprintln(&b, "origin: recorded by lab/, MIT")
	return b.String(), nil
}

func (p published) where() string {
	if p.vantage == "middle" {
		return "in the middle of the link, after losses"
	}
	return "at the " + p.vantage
}

// twin says what the other recording of the pair took.
func (p published) twin(log recording.Log) string {
	if p.scenario.Fix == nil {
		return ""
	}
	other := "fixed"
	if p.variant == "fixed" {
		other = "fault"
	}
	twin, err := recording.ReadLog(p.scenario.Name, other)
	if err != nil {
		return ""
	}
	return fmt.Sprintf("; %s twin %.1f ms: the cure saved %.1f ms",
		other, twin.Total, math.Abs(twin.Total-log.Total))
}

// settings are the kernel's, where they are not the lab's usual ones.
func settings(s scenario.Scenario) string {
	words := []string{"cubic"}
	if s.Sysctls[world.CongestionControl] != "" {
		words[0] = s.Sysctls[world.CongestionControl]
	}
	for _, name := range slices.Sorted(maps.Keys(s.Sysctls)) {
		if name != world.CongestionControl {
			words = append(words, name+"="+s.Sysctls[name])
		}
	}
	words = append(words, s.ServerRoute.Words("server")...)
	words = append(words, s.ClientRoute.Words("client")...)
	return ", " + strings.Join(words, ", ")
}

func cut(s scenario.Scenario) string {
	if s.Snaplen == 0 {
		return ""
	}
	return fmt.Sprintf(", frames cut to %d octets", s.Snaplen)
}
