//! Sizes, times, numbers and dates as people read them.

use super::messages;

messages! {
    NUMBER_SAMPLE = "12,345.6";
    BYTES = "{number} bytes";
    KILOBYTES = "{number} kB";
    MEGABYTES = "{number} MB";
    GIGABYTES = "{number} GB";
    TERABYTES = "{number} TB";
    A_FEW_SECONDS = "a few seconds";
    SECONDS = "about {number} seconds";
    ONE_MINUTE = "about one minute";
    MINUTES = "about {number} minutes";
    ONE_HOUR = "about one hour";
    HOURS = "about {number} hours";
    HOURS_MINUTES = "about {hours} h {minutes} min";
    DAYS = "more than a day";
    CLOCK = "{hour}:{minute}";
    DATE = "{day} {month} {year}";
    DATE_FIRST = "1 {month} {year}";
    JANUARY = "January";
    FEBRUARY = "February";
    MARCH = "March";
    APRIL = "April";
    MAY = "May";
    JUNE = "June";
    JULY = "July";
    AUGUST = "August";
    SEPTEMBER = "September";
    OCTOBER = "October";
    NOVEMBER = "November";
    DECEMBER = "December";
}
