package limit

import "time"

// Rates are bytes a second in each direction; 0 is no bound.
type Rates struct{ Up, Down int64 }

// Slot is when rates begin to hold: each week on that day, or each day, in
// local time.
type Slot struct {
	Day   int // a time.Weekday, or Daily
	Clock time.Duration
	Rates Rates
}

// Daily is the Day of a slot that begins every day.
const Daily = -1

// Timetable is a week of rates: each holds until the next begins, the last of
// one week into the next. An empty one bounds nothing.
type Timetable []Slot

// Always is a timetable of one bound.
func Always(r Rates) Timetable { return Timetable{{Day: Daily, Rates: r}} }

// At are the rates that hold at that time. Of slots that begin at the same
// minute the last counts.
func (t Timetable) At(now time.Time) Rates {
	const week = 7 * 24 * time.Hour
	hour, minute, second := now.Clock()
	since := time.Duration(int(now.Weekday())*24+hour)*time.Hour + time.Duration(minute)*time.Minute + time.Duration(second)*time.Second
	best, rates := week, Rates{}
	for _, s := range t {
		days := []int{s.Day}
		if s.Day == Daily {
			days = []int{0, 1, 2, 3, 4, 5, 6}
		}
		for _, day := range days {
			ago := (since - time.Duration(day)*24*time.Hour - s.Clock + week) % week
			if ago <= best {
				best, rates = ago, s.Rates
			}
		}
	}
	return rates
}
