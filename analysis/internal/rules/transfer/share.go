package transfer

// reaches reports whether part is so many percent of the whole, or more.
func reaches[N ~int | ~int64](part N, percent N, whole N) bool {
	return part*100 >= whole*percent
}

// aRoundTrip is how many percent of a round trip a wait must last to be worth a claim where its
// kind makes waits of one each: what is shorter is a part of one, and lost among what hosts take
// anyway.
const aRoundTrip = 80
