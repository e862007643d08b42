package json

import "runtime"

// element appends the element of that place to b. Several may be made at once.
type element func(b []byte, i int) []byte

// partSize is how many elements one part of a list has.
const partSize = 256

// inParts makes n elements, by all processors, and has them written in their order, part by part. A
// part is valid until write returns.
func inParts(n int, element element, write func(part []byte)) {
	parts := make(chan chan []byte, runtime.GOMAXPROCS(0)) // begun, in their order
	spare := make(chan []byte, cap(parts)+1)
	go func() {
		defer close(parts)
		for from := 0; from < n; from += partSize {
			part := make(chan []byte, 1)
			parts <- part
			go func() { part <- makePart(spare, from, min(from+partSize, n), element) }()
		}
	}()
	for part := range parts {
		text := <-part
		write(text)
		select {
		case spare <- text[:0]:
		default:
		}
	}
}

// makePart makes some elements, in room that was used before if there is some.
func makePart(spare <-chan []byte, from, to int, element element) (part []byte) {
	select {
	case part = <-spare:
	default:
	}
	for i := from; i < to; i++ {
		part = element(part, i)
	}
	return part
}
