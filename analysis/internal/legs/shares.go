package legs

import "time"

// link is what x has to do with others, once that is resolved.
func (x *leg[T]) link() (k Link[T]) {
	k.Alike = x.alike
	if x.front != nil {
		k.Behind, k.Front, k.Share = true, x.front.of, x.front.share(x)
	}
	for _, u := range x.legs {
		k.Upstream = append(k.Upstream, u.of)
		k.Waited += x.share(u)
	}
	return k
}

// share is how much of the time that the server of f took to answer passed while it waited for u,
// and for no other leg that had begun before. Clocks of several inputs differ: then it is what u
// lasted.
func (f *leg[T]) share(u *leg[T]) time.Duration {
	var before, with time.Duration
	covered := f.RequestEnd
	for _, v := range f.legs {
		from, until := v.From, f.waitsUntil(v)
		if f.recordedApart(v) {
			from, until = covered, covered+v.Until-v.From
		}
		own := max(0, min(until, f.Until)-max(from, covered))
		covered = max(covered, until)
		with = min(before+own, f.Think)
		if v == u {
			break
		}
		before = with
	}
	return with - before
}

// waitsUntil is until when f had to wait for its leg v: for the end of the response, or, where it
// did not wait for that before it answered, for its first octet.
func (f *leg[T]) waitsUntil(v *leg[T]) time.Duration {
	switch {
	case f.Answer == 0 || v.Until <= f.Answer:
		return v.Until
	case v.Answer > 0 && v.Answer <= f.Answer:
		return v.Answer
	}
	return f.Answer
}
