package compare

import "strings"

// manyValues is from how many values on a segment of a path names one of many things, such as a
// user, if most of them occur on one side only: endpoints that exist are asked for on both.
const manyValues = 20

// anyValue stands for such a segment.
const anyValue = "{…}"

// variety finds segments of paths that have many values, among the endpoints of both sides.
type variety struct {
	// by method, service and path without the segment: its values, and on which sides each occurs
	// (1 BEFORE, 2 AFTER)
	values map[hole]map[string]uint8
	many   map[hole]bool
}

// hole is a path but for one segment.
type hole struct {
	of   key // its template without the segment
	that int // which one
}

// varietyOf looks at the keys of both sides.
func varietyOf(before, after []key) *variety {
	v := &variety{values: map[hole]map[string]uint8{}, many: map[hole]bool{}}
	for side, keys := range [][]key{before, after} {
		for _, k := range keys {
			for i, segment := range strings.Split(k.template, "/") {
				h := holeOf(k, i)
				if v.values[h] == nil {
					v.values[h] = map[string]uint8{}
				}
				v.values[h][segment] |= 1 << side
			}
		}
	}
	for h, values := range v.values {
		both := 0
		for _, sides := range values {
			if sides == 3 {
				both++
			}
		}
		v.many[h] = len(values) >= manyValues && 2*both < len(values)
	}
	return v
}

// holeOf is a key without one segment of its template.
func holeOf(k key, that int) hole {
	segments := strings.Split(k.template, "/")
	segments[that] = anyValue
	k.template = strings.Join(segments, "/")
	return hole{k, that}
}

// merged is a key in which the first segment that has many values is any.
func (v *variety) merged(k key) key {
	for i := range strings.Split(k.template, "/") {
		if h := holeOf(k, i); v.many[h] {
			return h.of
		}
	}
	return k
}
