// Timers of a hidden page are slowed to one a minute; a worker's are not, and a seat in a background tab must notice a lost link too.
setInterval(() => postMessage(null), 1000);
