package main

import "github.com/tamthe/tamthe/verify"

// What is said of many documents.
var (
	wordJudged     = phrase{"judged %d", "đã xét %d"}
	wordUnreadable = phrase{"unreadable", "không đọc được"}
	wordTally      = phrase{
		"%d documents: %d accepted, %d refused, %d referred, %d unreadable; %d other files passed over",
		"%d giấy tờ: %d hợp lệ, %d không hợp lệ, %d cần kiểm tra thêm, %d không đọc được; bỏ qua %d tệp khác",
	}
	wordVerdicts = map[verify.Verdict]phrase{
		verify.Accept: {"accept", "hợp lệ"}, verify.Refuse: {"refuse", "không hợp lệ"}, verify.Refer: {"refer", "cần kiểm tra thêm"},
	}
)
