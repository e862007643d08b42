// Package phrase puts descriptions together from what is so and what is not.
package phrase

import (
	"fmt"
	"strings"
)

// A List is the phrases of a description.
type List []string

// If adds a phrase if it is so.
func (l *List) If(so bool, format string, args ...any) {
	if so {
		*l = append(*l, fmt.Sprintf(format, args...))
	}
}

// String joins the phrases by semicolons.
func (l List) String() string { return strings.Join(l, "; ") }
