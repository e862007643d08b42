package report

import "time"

// Piece is a stretch of an exchange's time with one label. Stretches too short to be seen are part
// of a neighbour.
type Piece struct {
	Label    Label
	From, To time.Duration
}
