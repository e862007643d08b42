//go:build linux

package scenario

import "slices"

// Expect is what the recording of the fault must make the program say.
type Expect struct {
	Rule, Cause string // "" for a look-alike, which must stay silent
	Count       int    // occurrences; 0 is any number
	// further rules, or rule/cause, that the recording shows too, and that are not scored
	Also []string
	// of Also, those that claim other parts of what the same cure saves: their costs are added
	Shares   []string
	From     string // the capture that decides: client, server or middle; "" is client
	Alone    bool   // the other captures cannot show it
	Timeless bool   // what the fault costs is no time: no saving is held against it
	Keyed    bool   // TLS hides it: the program is given the secrets (keys.txt)
	// the rules cannot say this yet: a check of all scenarios leaves it out
	Pending bool
}

// Deciding is the capture that decides.
func (e Expect) Deciding() string {
	if e.From == "" {
		return "client"
	}
	return e.From
}

// Compared are the captures that are held against the deciding one.
func (e Expect) Compared() []string {
	if e.Alone {
		return nil
	}
	return slices.DeleteFunc([]string{"client", "server", "middle"},
		func(v string) bool { return v == e.Deciding() })
}

// Untimed is true where no saving of time can be held against the cost: a lost answer is not a
// matter of time, and some rules claim none.
func (e Expect) Untimed() bool {
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
