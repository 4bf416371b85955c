package main

// The phrases of ceremonies.
var (
	wordCeremonyWhole      = phrase{"the transcript is whole", "biên bản nguyên vẹn"}
	wordCeremonyBroken     = phrase{"the transcript is not whole", "biên bản không nguyên vẹn"}
	wordCeremonyRehearsal  = phrase{"of a rehearsal", "của buổi diễn tập"}
	wordCeremonyCustodian  = phrase{"custodian", "người giữ khóa"}
	wordCeremonyTranscript = phrase{"transcript", "biên bản"}
)
