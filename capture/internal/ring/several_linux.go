//go:build linux && !pcap

package ring

import (
	"net"
	"time"

	"golang.org/x/net/bpf"
)

// Several interfaces share one ring, which is that of all interfaces: frames come in the order of
// their times, whichever they are of. Those of others are left out by the kernel's filter.

const (
	// chosenMost is how many interfaces the kernel's filter tells apart: its jumps are short. Of
	// more, frames of others are left out when they are read.
	chosenMost = 64
	// chooseEvery is how often is looked for interfaces that have come.
	chooseEvery = time.Second
)

// choose adds the interfaces that are asked for and are not known yet. At the beginning, all that
// have a name must be there, and one at least.
func (r *ring) choose() error {
	all, err := net.Interfaces()
	if err != nil {
		return err
	}
	index := make(map[string]int32, len(all))
	names := make([]string, 0, len(all))
	for _, i := range all {
		index[i.Name] = int32(i.Index)
		names = append(names, i.Name)
	}
	found := r.config.matching(names)
	if len(r.names) == 0 && (len(found) == 0 || r.config.missing(names)) {
		return ErrNoInterface
	}
	for _, name := range found {
		if _, known := r.chosen[index[name]]; !known {
			r.chosen[index[name]] = uint32(len(r.names))
			r.names = append(r.names, name)
		}
	}
	r.chosenAt = time.Now()
	return nil
}

// chooseAgain looks for interfaces that have come since, now and then.
func (r *ring) chooseAgain() {
	if r.chosen == nil || time.Since(r.chosenAt) < chooseEvery {
		return
	}
	before := len(r.names)
	// What cannot be listed now may be later; so it is with a filter, which is as it was.
	if r.choose() != nil || len(r.names) == before {
		return
	}
	_ = r.attach(&r.config, r.snap)
	for index, i := range r.chosen {
		if int(i) >= before && r.config.Promiscuous {
			_ = r.promiscuous(index)
		}
	}
}

// onlyChosen is the beginning of a filter that goes on for frames of the interfaces alone.
func (r *ring) onlyChosen() (program []bpf.Instruction) {
	n := len(r.chosen)
	if r.chosen == nil || n > chosenMost {
		return nil
	}
	program = append(program, bpf.LoadExtension{Num: bpf.ExtInterfaceIndex})
	left := n
	for index := range r.chosen {
		program = append(program, bpf.JumpIf{Val: uint32(index), SkipTrue: uint8(left)})
		left--
	}
	return append(program, bpf.RetConstant{Val: 0})
}
