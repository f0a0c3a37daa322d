-- Whether scripts can learn what they must know.
return current_life()
