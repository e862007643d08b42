package report

import "strings"

// Remedy is what one side can change.
type Remedy struct {
	Side Side
	Text string // what to do, as a clause; in a finding it names the settings, too
	// where different products are told to do it, in the order in which they are named; none in a
	// finding
	Settings []Setting
	After    string // what there is to say behind the settings; "" in a finding
	// only if that side is at fault, where the cause alone does not say; SideUnknown: always
	When     Side
	Other    string // the whole clause where the protocol is not HTTP; "": the same
	HTTPOnly bool   // it helps no other protocol
	// it helps only where a connection carries one request at a time: HTTP/2 is no advice to HTTP/2
	Serial bool
}

// Setting is where one product is told to do what a remedy says.
type Setting struct {
	Product Product
	Text    string // without the product's name
}

// unknownCount is how many settings a finding names where the product is not known. The rule's
// documentation has all.
const unknownCount = 6

// elsewhereCount is how many other products are named where one is known: who must act needs one,
// and a hint that there are others, should a proxy have spoken in a server's name.
const elsewhereCount = 3

// General is the remedy as a clause for whom nothing is known of: every product's setting in turn.
func (r *Remedy) General() string {
	return r.clause(nameSettings(": ", r.Settings, len(r.Settings)))
}

// ForProducts is the remedy for a finding: the settings of the products that were seen stand first.
func (r *Remedy) ForProducts(seen Products) Remedy {
	var own, others []Setting
	for _, s := range r.Settings {
		if seen.of(r.Side).has(s.Product) {
			own = append(own, s)
		} else {
			// what holds unless set is for those who run it
			s.Text, _, _ = strings.Cut(s.Text, " (")
			others = append(others, s)
		}
	}
	if len(own) == 0 {
		return Remedy{Side: r.Side, Text: r.clause(nameSettings(": ", r.Settings, unknownCount))}
	}
	return Remedy{
		Side: r.Side,
		Text: r.clause(
			"; " + knownProducts(r.Side, own) + nameSettings("; elsewhere: ", others,
				elsewhereCount),
		),
	}
}

// clause puts the settings between what to do and what is to be added.
func (r *Remedy) clause(settings string) string {
	text := r.Text + settings
	if r.After != "" {
		text += "; " + r.After
	}
	return text
}

// knownProducts says what a side runs, and the setting of that: "this server is nginx:
// keepalive_timeout 75s".
func knownProducts(side Side, settings []Setting) string {
	text := ""
	for i, s := range settings {
		switch {
		case i > 0 && s.Product == settings[i-1].Product:
			text += ", " + s.Text
			continue
		case i > 0:
			text += "; also "
		default:
			text += "this " + side.String() + " is "
		}
		text += s.Product.String() + ": " + s.Text
	}
	return text
}

// nameSettings names up to most settings with their products behind head; "" if there is none.
func nameSettings(head string, settings []Setting, most int) string {
	var out []string
	between := ", "
	for _, s := range settings[:min(most, len(settings))] {
		out = append(out, s.Product.String()+" "+s.Text)
		if strings.Contains(s.Text, ",") {
			between = "; "
		}
	}
	if len(out) == 0 {
		return ""
	}
	return head + strings.Join(out, between)
}

// RemediesFor are a cause's remedies for a finding, if the given side is at fault; web tells that
// the protocol may be HTTP, serial that connections may carry one request at a time.
func RemediesFor(all []Remedy, seen Products, at Side, web, serial bool) []Remedy {
	var out []Remedy
	for i := range all {
		r := &all[i]
		switch {
		case r.When != SideUnknown && at != SideUnknown && r.When != at || r.HTTPOnly && !web ||
			r.Serial && !serial:
		case r.Other != "" && !web:
			out = append(out, Remedy{Side: r.Side, Text: r.Other})
		default:
			out = append(out, r.ForProducts(seen))
		}
	}
	return out
}
