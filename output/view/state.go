package view

import (
	"cmp"
	"net/netip"
	"slices"
)

// order is by what services are sorted.
type order int

const (
	byLost order = iota
	byShare
	byRate
	byP95
	byP50
	byName
	orders
)

var orderNames = [orders]string{
	"time lost", "share", "rate", "p95", "p50", "name",
}

// State is what a person who looks at a View has chosen.
type State struct {
	order    order
	selected netip.AddrPort // the first, unless it is there
	chosen   bool           // by a person: it stays selected wherever it goes
	details  bool
	help     bool
	frozen   *Snapshot // nil: what is shown goes on
	scrolled int       // lines of details above the screen
}

// Key does what a key means: a letter, or up, down, pageup, pagedown, home, end, enter, esc. It
// reports whether it means to quit.
func (s *State) Key(key string, snap *Snapshot) (quit bool) {
	if key == "q" || key == "Q" {
		return true
	}
	if s.help {
		s.help = false
		return false
	}
	switch key {
	case "h", "H", "?":
		s.help = true
	case "p", "P", " ":
		if s.frozen == nil {
			s.frozen = snap
		} else {
			s.frozen = nil
		}
	case "s":
		s.order = (s.order + 1) % orders
	case "S":
		s.order = (s.order + orders - 1) % orders
	case "enter", "right", "l":
		s.details, s.scrolled = true, 0
		s.choose(snap, 0)
	case "esc", "left", "backspace":
		if !s.details {
			s.chosen = false
		}
		s.details = false
	default:
		s.move(key, snap)
	}
	return false
}

// move selects another service, or scrolls its details.
func (s *State) move(key string, snap *Snapshot) {
	const page, all = 10, maxServices
	by, known := map[string]int{
		"up": -1, "k": -1, "down": 1, "j": 1, "pageup": -page, "pagedown": page,
		"home": -all, "end": all,
	}[key]
	switch {
	case !known:
	case s.details:
		s.scrolled = max(0, s.scrolled+by)
	default:
		s.choose(snap, by)
	}
}

// choose selects the service that is so many below the one that is.
func (s *State) choose(snap *Snapshot, by int) {
	if s.frozen != nil {
		snap = s.frozen
	}
	all := s.sorted(snap)
	if len(all) == 0 {
		return
	}
	at := min(max(s.at(all)+by, 0), len(all)-1)
	s.selected, s.chosen = all[at].Server, true
}

// at is the place of the service that is selected.
func (s *State) at(all []*Service) int {
	if !s.chosen {
		return 0
	}
	return max(0, slices.IndexFunc(all, func(x *Service) bool { return x.Server == s.selected }))
}

// sorted are the services as a person wants them.
func (s *State) sorted(snap *Snapshot) []*Service {
	all := make([]*Service, len(snap.Services))
	value := make(map[*Service]float64, len(all))
	for i := range snap.Services {
		x := &snap.Services[i]
		all[i] = x
		switch s.order {
		case byShare:
			value[x] = x.share()
		case byRate:
			value[x] = float64(x.Took.N)
		case byP95:
			value[x] = x.Took.Quantile(0.95).Seconds()
		case byP50:
			value[x] = x.Took.Quantile(0.5).Seconds()
		case byLost:
			value[x] = x.Lost.Seconds()
		}
	}
	slices.SortStableFunc(all, func(a, b *Service) int {
		if s.order == byName {
			return a.Server.Compare(b.Server)
		}
		return cmp.Or(cmp.Compare(value[b], value[a]), cmp.Compare(b.Took.N, a.Took.N),
			cmp.Compare(b.AllLost, a.AllLost), a.Server.Compare(b.Server))
	})
	return all
}
